/** What a consumer counts. Totals since it was made; sizes in bytes. */
export interface ConsumerMetrics {
  /** Records that were handed out. */
  recordsConsumed: number
  /** Bytes of batches as they were fetched. */
  bytesFetched: number
  /** Fetches that were answered. */
  fetches: number
  /** Milliseconds from request to answer, all fetches together; waiting at the broker counts. */
  fetchMs: number
  /** Commits that hold, and tries that failed. */
  commits: number
  commitsFailed: number
  /** Partitions that a group gave, took back in order, and took without being asked. */
  partitionsAssigned: number
  partitionsRevoked: number
  partitionsLost: number
  /** What is fetched and not handed out, at present. */
  bufferBytes: number
}

/** All zero. */
export function newConsumerMetrics(): ConsumerMetrics {
  return {
    recordsConsumed: 0,
    bytesFetched: 0,
    fetches: 0,
    fetchMs: 0,
    commits: 0,
    commitsFailed: 0,
    partitionsAssigned: 0,
    partitionsRevoked: 0,
    partitionsLost: 0,
    bufferBytes: 0,
  }
}
