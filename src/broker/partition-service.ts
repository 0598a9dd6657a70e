/**
 * The owner's side of partitions, for other threads: appends and reads that came over the rings
 * (see
 * partition-proxy.ts for the caller's side). Lives on the thread of the partitions.
 */
import {
  decodeAppend,
  decodeRead,
  encodeAppended,
  encodeReadDone,
  MessageType,
} from '../actors/mailbox/hot.ts'
import type { AppendResult } from '../actors/partition-requests.ts'
import type { BufferPool, PooledBuffer } from '../ring/arena.ts'
import type { ThreadBus } from '../ring/bus.ts'
import type { PartitionTable } from './partition-table.ts'

export class PartitionService {
  readonly #bus: ThreadBus
  readonly #table: PartitionTable
  readonly #pool: BufferPool
  /** Buffers of reads that other threads still send from, by their id. */
  readonly #lent = new Map<number, { buffer: PooledBuffer; thread: number }>()

  constructor(bus: ThreadBus, table: PartitionTable, pool: BufferPool) {
    this.#bus = bus
    this.#table = table
    this.#pool = pool
  }

  // hot
  onAppend(from: number, correlation: number, bytes: Buffer, at: number): void {
    const bus = this.#bus
    const { slot, acksAll, origin, bufferId, from: start, length } = decodeAppend(bytes, at)
    const records = bus.resolve(from, bufferId).subarray(start, start + length)
    const sink = {
      onAppended(_tag: number, result: AppendResult) {
        bus.reply(from, correlation, MessageType.append, encodeAppended(result))
      },
    }
    this.#table.append(slot, records, acksAll, sink, 0, origin)
  }

  // hot
  onRead(from: number, correlation: number, bytes: Buffer, at: number): void {
    const results = this.#table.read(from, decodeRead(bytes, at))
    for (const { read } of results) {
      if (read?.buffer === undefined) continue
      this.#bus.share(from, read.buffer)
      this.#lent.set(read.buffer.id, { buffer: read.buffer, thread: from })
    }
    this.#bus.reply(from, correlation, MessageType.read, encodeReadDone(results))
  }

  /** The records of a read have been sent: `bytes` names the buffers that come back. */
  onReleaseRead(bytes: Buffer, at: number, length: number): void {
    for (let i = 0; i < length; i += 4) {
      const id = bytes.readUInt32LE(at + i)
      const lent = this.#lent.get(id)
      if (lent === undefined) continue
      this.#lent.delete(id)
      this.#pool.release(lent.buffer)
    }
  }

  /** What a thread that died had borrowed comes back. */
  peerLost(peer: number): void {
    for (const [id, lent] of this.#lent) {
      if (lent.thread !== peer) continue
      this.#lent.delete(id)
      this.#pool.release(lent.buffer)
    }
  }
}
