/**
 * The caller's side of partitions, wherever they live: a call on the same thread, a frame on a ring
 * otherwise. Lives on one thread; knows all others.
 */
import {
  type CrossedRead,
  decodeAppended,
  decodeReadDone,
  encodeAppend,
  encodeRead,
  MessageType,
  type ReadOrder,
} from '../actors/mailbox/hot.ts'
import {
  type AppendOrigin,
  type AppendSink,
  FAILED,
  FROM_CLIENT,
  type ReadResult,
} from '../actors/partition-requests.ts'
import type { PartitionImage } from '../cluster/image.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { type BufferPool, CopyArena, type PooledBuffer } from '../ring/arena.ts'
import type { ThreadBus } from '../ring/bus.ts'
import type { PartitionTable } from './partition-table.ts'

/** What a read found in one partition. `records` is valid until the fetch's `release`. */
export interface FetchedPartition extends Omit<ReadResult, 'read'> {
  records: Buffer | undefined
}

/** The results of a read order, in its order. */
export interface Fetched {
  partitions: readonly FetchedPartition[]
  /** Gives the memory of all records back. To be called once. */
  release(): void
}

const NO_RELEASE = () => {}

export class PartitionProxy {
  readonly #thread: number
  readonly #table: PartitionTable
  readonly #pool: BufferPool
  readonly #bus: ThreadBus | undefined
  readonly #arena: CopyArena

  constructor(thread: number, table: PartitionTable, pool: BufferPool, bus: ThreadBus | undefined) {
    this.#thread = thread
    this.#table = table
    this.#pool = pool
    this.#bus = bus
    this.#arena = new CopyArena(pool)
  }

  /**
   * Appends the batch in `records`, whose memory is `frame` if it may be kept. The answer comes to
   * `sink` with `tag`, during the call when the partition lives here and no flush is waited for.
   */
  // hot
  append(
    partition: PartitionImage,
    records: Buffer,
    frame: PooledBuffer | undefined,
    acksAll: boolean,
    sink: AppendSink,
    tag: number,
    origin: AppendOrigin = FROM_CLIENT,
  ): void {
    if (partition.thread === this.#thread || this.#bus === undefined) {
      this.#table.append(partition.slot, records, acksAll, sink, tag, origin)
      return
    }
    // A frame in pooled memory crosses where it lies; what lies in the scratch buffer is copied
    // once.
    let buffer = frame
    let from: number
    if (buffer !== undefined && buffer.bytes.buffer === records.buffer) {
      this.#pool.retain(buffer)
      from = records.byteOffset - buffer.bytes.byteOffset
    } else {
      buffer = this.#arena.copy(records)
      from = this.#arena.offset
    }
    const held = buffer
    const reference = { bufferId: held.id, from, length: records.length }
    this.#bus.share(partition.thread, held)
    this.#bus.request(
      partition.thread,
      MessageType.append,
      partition.slot,
      encodeAppend(partition.slot, acksAll, reference, origin),
      (status, _type, bytes, at, length) => {
        this.#pool.release(held)
        const lost = { ...FAILED, errorCode: ErrorCode.KAFKA_STORAGE_ERROR }
        sink.onAppended(tag, status === 'ok' ? decodeAppended(bytes, at, length) : lost)
      },
    )
  }

  /**
   * Reads from partitions of one thread; `done` is called once, during the call when it is this
   * one.
   */
  // hot
  read(thread: number, order: ReadOrder, done: (fetched: Fetched) => void): void {
    if (thread === this.#thread || this.#bus === undefined) {
      done(this.#readHere(order))
      return
    }
    const bus = this.#bus
    bus.request(thread, MessageType.read, 0, encodeRead(order), (status, _type, bytes, at) => {
      if (status === 'ok') done(this.#resolved(thread, decodeReadDone(bytes, at)))
      else done({ partitions: order.partitions.map(lostPartition), release: NO_RELEASE })
    })
  }

  #readHere(order: ReadOrder): Fetched {
    const results = this.#table.read(this.#thread, order)
    const partitions: FetchedPartition[] = []
    let held = false
    for (const { read, ...result } of results) {
      const buffer = read?.buffer
      if (buffer !== undefined) held = true
      partitions.push({ ...result, records: buffer?.bytes.subarray(read?.from, read?.to) })
    }
    if (!held) return { partitions, release: NO_RELEASE }
    const release = () => {
      for (const { read } of results)
        if (read?.buffer !== undefined) this.#pool.release(read.buffer)
    }
    return { partitions, release }
  }

  #resolved(thread: number, results: readonly CrossedRead[]): Fetched {
    const bus = this.#bus as ThreadBus
    const ids: number[] = []
    const partitions = results.map(({ reference, ...result }) => {
      if (reference === undefined) return { ...result, records: undefined }
      ids.push(reference.bufferId)
      const { from, length } = reference
      const memory = bus.resolve(thread, reference.bufferId)
      return { ...result, records: memory.subarray(from, from + length) }
    })
    if (ids.length === 0) return { partitions, release: NO_RELEASE }
    const release = () => {
      const payload = Buffer.allocUnsafe(ids.length * 4)
      for (const [i, id] of ids.entries()) payload.writeUInt32LE(id, i * 4)
      bus.notice(thread, MessageType.releaseRead, 0, payload)
    }
    return { partitions, release }
  }
}

function lostPartition(): FetchedPartition {
  return {
    errorCode: ErrorCode.KAFKA_STORAGE_ERROR,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    records: undefined,
    availableBytes: 0,
    aborted: null,
    divergingEpoch: undefined,
  }
}
