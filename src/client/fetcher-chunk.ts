/**
 * What one fetch brought of one partition, and the walk over its records: batches that lie before
 * the position, control batches and aborted transactions are left out. Plain state, without IO.
 */
import { readInt64 } from '../base/bytes.ts'
import { CodecError, type Codecs, type CompressedCodec } from '../protocol/compression.ts'
import { ErrorCode } from '../protocol/errors.ts'
import {
  baseOffset,
  baseTimestamp,
  batchSize,
  CRC_FROM,
  type Crc32c,
  compressionOf,
  crc,
  InvalidRecord,
  isControl,
  isLogAppendTime,
  isTransactional,
  LOG_OVERHEAD,
  lastOffset,
  MAGIC_V2,
  magic,
  maxTimestamp,
  partitionLeaderEpoch,
  producerId,
  RECORD_BATCH_OVERHEAD,
  RecordCursor,
  recordsCount,
} from '../protocol/record-batch.ts'
import { ConsumerRecord, type RecordSource } from './consumer-record.ts'
import { KafkaError } from './errors.ts'
import type { TopicDeserializers } from './topic-deserializers.ts'

/** Kafka's type of a marker that ends an aborted transaction; its key is version and type. */
const ABORT_MARKER = 0
const MARKER_KEY_BYTES = 4

/** A transaction that was aborted. */
export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

/** What the walk needs from outside. */
export interface ChunkTools<K, V> {
  readonly codecs: Codecs
  readonly crc32c: Crc32c
  /** Whether damage is looked for. */
  readonly checkCrcs: boolean
  /** Largest size to which a batch may unfold. */
  readonly batchBytesMax: number
  readonly deserializers: TopicDeserializers<K, V>
}

/** The bytes of a partition as fetched. */
export interface Fetched {
  readonly topic: string
  readonly partition: number
  readonly records: Buffer
  /** undefined: read_uncommitted, nothing is left out. In the order of first offsets. */
  readonly aborted: readonly AbortedTransaction[] | undefined
}

/** A place in the bytes of a fetch. Walks forward only. */
export class FetchedChunk<K, V> {
  readonly topic: string
  readonly partition: number
  readonly bytes: number
  /** The offset to go on with when the walk has ended or failed. */
  nextOffset: number
  /** The epoch of the leader that appended what lies before `nextOffset`; -1: not known. */
  leaderEpoch = -1
  readonly #records: Buffer
  readonly #tools: ChunkTools<K, V>
  readonly #cursor = new RecordCursor()
  readonly #aborted: AbortedTransaction[]
  readonly #abortedProducers = new Set<number>()
  readonly #readCommitted: boolean
  #nextBatchAt = 0
  #batchAt = 0
  #failure: unknown
  #source: RecordSource<K, V> | undefined
  #baseOffset = 0
  #baseTimestamp = 0
  #batchEnd = 0
  #appendTimestamp = 0

  /** `position`: records before it are left out. */
  constructor(fetched: Fetched, position: number, tools: ChunkTools<K, V>) {
    this.topic = fetched.topic
    this.partition = fetched.partition
    this.bytes = fetched.records.length
    this.nextOffset = position
    this.#records = fetched.records
    this.#tools = tools
    this.#readCommitted = fetched.aborted !== undefined
    this.#aborted = [...(fetched.aborted ?? [])].sort((a, b) => a.firstOffset - b.firstOffset)
  }

  // hot
  /** The next record, or undefined behind the last. Throws KafkaError CORRUPT_MESSAGE at a damaged
   *  batch, again at each call: `nextOffset` does not move past it. */
  next(): ConsumerRecord<K, V> | undefined {
    if (this.#failure !== undefined) throw this.#failure
    for (;;) {
      const source = this.#source
      if (source === undefined) {
        if (!this.#enterBatch()) return undefined
        continue
      }
      const cursor = this.#cursor
      if (!this.#advance()) {
        this.#source = undefined
        // Compaction may have removed the last records of a batch.
        if (this.#batchEnd > this.nextOffset) this.nextOffset = this.#batchEnd
        continue
      }
      const offset = this.#baseOffset + cursor.offsetDelta
      if (offset < this.nextOffset) continue
      this.nextOffset = offset + 1
      const timestamp = source.isLogAppendTime
        ? this.#appendTimestamp
        : this.#baseTimestamp + cursor.timestampDelta
      return new ConsumerRecord(source, offset, timestamp, cursor)
    }
  }

  /** Goes to the next batch whose records count; false at the end. */
  #enterBatch(): boolean {
    const b = this.#records
    for (;;) {
      const at = this.#nextBatchAt
      this.#batchAt = at
      // The last batch may be cut off: it comes whole with the next fetch.
      if (b.length - at < RECORD_BATCH_OVERHEAD) return false
      const size = batchSize(b, at)
      if (size < RECORD_BATCH_OVERHEAD) throw this.#damage(at, `a batch of ${size} bytes`)
      if (b.length - at < size) return false
      const end = lastOffset(b, at) + 1
      if (end > this.nextOffset) {
        this.#check(at, size)
        this.leaderEpoch = partitionLeaderEpoch(b, at)
        if (this.#isWanted(at, size)) {
          this.#open(at, size)
          this.#nextBatchAt = at + size
          return true
        }
        this.nextOffset = end
      } else if (this.#readCommitted) {
        // Skipped, but it may end a transaction whose records come later in another order.
        this.#isWanted(at, size)
      }
      this.#nextBatchAt = at + size
    }
  }

  #check(at: number, size: number): void {
    const b = this.#records
    if (magic(b, at) !== MAGIC_V2) throw this.#damage(at, `format ${magic(b, at)}`)
    if (!this.#tools.checkCrcs) return
    if (crc(b, at) === this.#tools.crc32c(b.subarray(at + CRC_FROM, at + size))) return
    throw this.#damage(at, 'a wrong checksum')
  }

  /** Keeps account of aborted transactions; whether the batch's records are for the user. */
  #isWanted(at: number, size: number): boolean {
    const b = this.#records
    if (this.#readCommitted) {
      const end = lastOffset(b, at)
      while (this.#aborted[0] !== undefined && this.#aborted[0].firstOffset <= end) {
        this.#abortedProducers.add((this.#aborted.shift() as AbortedTransaction).producerId)
      }
      if (isControl(b, at)) {
        if (this.#isAbort(at, size)) this.#abortedProducers.delete(producerId(b, at))
        return false
      }
      return !(isTransactional(b, at) && this.#abortedProducers.has(producerId(b, at)))
    }
    return !isControl(b, at)
  }

  #isAbort(at: number, size: number): boolean {
    this.#cursor.reset(this.#records, at + RECORD_BATCH_OVERHEAD, at + size, 1)
    if (!this.#advance()) return false
    const key = this.#cursor.key()
    return key !== null && key.length >= MARKER_KEY_BYTES && key.readInt16BE(2) === ABORT_MARKER
  }

  #open(at: number, size: number): void {
    const b = this.#records
    const codec = compressionOf(b, at)
    const count = recordsCount(b, at)
    const from = at + RECORD_BATCH_OVERHEAD
    this.#baseOffset = baseOffset(b, at)
    this.#baseTimestamp = baseTimestamp(b, at)
    this.#appendTimestamp = maxTimestamp(b, at)
    this.#batchEnd = lastOffset(b, at) + 1
    let bytes = b
    let sectionAt = from
    let end = at + size
    if (codec !== 0) {
      bytes = this.#unfold(codec, b.subarray(from, end), at)
      sectionAt = 0
      end = bytes.length
    }
    try {
      this.#cursor.reset(bytes, sectionAt, end, count)
    } catch (error) {
      throw this.#damageOf(error, at)
    }
    this.#source = {
      topic: this.topic,
      partition: this.partition,
      leaderEpoch: partitionLeaderEpoch(b, at),
      isLogAppendTime: isLogAppendTime(b, at),
      bytes,
      memory: bytes.buffer,
      memoryAt: bytes.byteOffset,
      deserializers: this.#tools.deserializers.of(this.topic),
    }
  }

  #unfold(codec: number, section: Buffer, at: number): Buffer {
    const { codecs, batchBytesMax } = this.#tools
    if (codec > 4) throw this.#damage(at, `codec ${codec}`)
    try {
      const plain = codecs.decompress(codec as CompressedCodec, section, batchBytesMax)
      return Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength)
    } catch (error) {
      throw this.#damageOf(error, at)
    }
  }

  #advance(): boolean {
    try {
      return this.#cursor.next()
    } catch (error) {
      throw this.#damageOf(error, this.#batchAt)
    }
  }

  #damageOf(error: unknown, at: number): unknown {
    if (!(error instanceof InvalidRecord || error instanceof CodecError)) return error
    return this.#damage(at, error.message)
  }

  #damage(at: number, what: string): KafkaError {
    const where = `${this.topic}-${this.partition}`
    const offset = at + LOG_OVERHEAD <= this.#records.length ? readInt64(this.#records, at) : -1
    const failure = new KafkaError(ErrorCode.CORRUPT_MESSAGE, {
      message: `${where} has a damaged batch at offset ${offset}: ${what}.`,
      hint: 'seek() past the batch to go on without its records.',
    })
    this.#failure = failure
    return failure
  }
}

/** The offset behind the last whole batch of `records`, and the epoch of its leader; `before` if
 *  there is none. */
export function endOf(
  records: Buffer,
  before: { readonly offset: number; readonly leaderEpoch: number },
): { readonly offset: number; readonly leaderEpoch: number } {
  let { offset, leaderEpoch } = before
  let at = 0
  while (records.length - at >= RECORD_BATCH_OVERHEAD) {
    const size = batchSize(records, at)
    if (size < RECORD_BATCH_OVERHEAD || records.length - at < size) break
    offset = Math.max(offset, lastOffset(records, at) + 1)
    leaderEpoch = partitionLeaderEpoch(records, at)
    at += size
  }
  return { offset, leaderEpoch }
}
