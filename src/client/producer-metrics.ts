/** What a producer counts. Totals since it was made; sizes in bytes. */
export interface ProducerMetrics {
  /** Records that send() took. */
  recordsQueued: number
  /** Records that the broker has acknowledged (with acks 0: that were handed to the network). */
  recordsSent: number
  /** Records that could not be written. */
  recordsFailed: number
  /** Bytes of batches as they were sent, each try anew. */
  bytesSent: number
  /** Bytes of acknowledged batches before compression. */
  bytesPlain: number
  batchesSent: number
  requestsSent: number
  /** Batches sent again. */
  retries: number
  /** Batches split because the broker found them too large. */
  splits: number
  /** Times that sequence numbers began anew. */
  epochBumps: number
  /** Milliseconds from request to answer, all requests together. */
  requestMs: number
  /** Records' bytes that are not acknowledged, at present. */
  bufferBytes: number
  /** Sends that wait for metadata or buffer memory, at present. */
  waitingSends: number
}

/** All zero. */
export function newProducerMetrics(): ProducerMetrics {
  return {
    recordsQueued: 0,
    recordsSent: 0,
    recordsFailed: 0,
    bytesSent: 0,
    bytesPlain: 0,
    batchesSent: 0,
    requestsSent: 0,
    retries: 0,
    splits: 0,
    epochBumps: 0,
    requestMs: 0,
    bufferBytes: 0,
    waitingSends: 0,
  }
}
