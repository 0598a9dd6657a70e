/**
 * The hop between two threads of a broker, on one: a thread with the connections and one with the
 * partitions, real buses over real rings between them, polled when the scheduler says. The rings
 * are
 * small, so that requests often wait for credit or room.
 */
import { MessageType } from '../../src/actors/mailbox/hot.ts'
import type { AppendResult } from '../../src/actors/partition-requests.ts'
import { type FetchedPartition, PartitionProxy } from '../../src/broker/partition-proxy.ts'
import { PartitionService } from '../../src/broker/partition-service.ts'
import type { PartitionTable } from '../../src/broker/partition-table.ts'
import type { PartitionImage } from '../../src/cluster/image.ts'
import { BufferPool } from '../../src/ring/arena.ts'
import { ThreadBus } from '../../src/ring/bus.ts'
import { wireThreads } from '../../src/ring/wiring.ts'
import type { Random } from './random.ts'

/** A read as it came over: bytes instead of pooled memory. */
export type Read = Omit<FetchedPartition, 'records'> & { bytes: Buffer }

const CONNECTIONS = 0
const PARTITIONS = 1
/** Room for the replies to four requests and hardly more. */
const LIMITS = { ringBytes: 8192, creditsMax: 4, inlineBytesMax: 512 }

export class RingHop {
  readonly #asking: ThreadBus
  readonly #serving: ThreadBus
  readonly #proxy: PartitionProxy
  readonly #random: Random
  readonly #after: (delayMs: number, then: () => void) => () => void
  #closed = false
  #isPolling = false

  constructor(
    table: PartitionTable,
    pool: BufferPool,
    random: Random,
    after: (delayMs: number, then: () => void) => () => void,
  ) {
    this.#random = random
    this.#after = after
    const [asking, serving] = wireThreads(2, LIMITS)
    if (asking === undefined || serving === undefined) throw new Error('two threads are wired')
    const ownPool = new BufferPool()
    this.#asking = new ThreadBus(asking, ownPool, { onRequest() {}, onNotice() {} })
    this.#serving = new ThreadBus(serving, pool, {
      onRequest: (from, type, _actor, correlation, bytes, at) => {
        if (type === MessageType.append) service.onAppend(from, correlation, bytes, at)
        else service.onRead(from, correlation, bytes, at)
      },
      onNotice: (_from, _type, _actor, bytes, at, length) => {
        service.onReleaseRead(bytes, at, length)
      },
    })
    const service = new PartitionService(this.#serving, table, pool)
    this.#proxy = new PartitionProxy(CONNECTIONS, table, ownPool, this.#asking)
  }

  append(slot: number, records: Buffer, answer: (result: AppendResult) => void): void {
    const partition = { slot, thread: PARTITIONS } as PartitionImage
    const onAppended = (_tag: number, result: AppendResult) => {
      if (!this.#closed) answer(result)
    }
    this.#proxy.append(partition, records, undefined, true, { onAppended }, 0)
    if (!this.#isPolling) this.#poll(this.#random.int(0, 4))
  }

  read(slot: number, fetchOffset: number, maxBytes: number, answer: (read: Read) => void): void {
    const one = { slot, maxBytes, fetchOffset, currentLeaderEpoch: -1, lastFetchedEpoch: -1 }
    const flags = { readCommitted: false, measure: false, watch: false }
    this.#proxy.read(PARTITIONS, { ...flags, maxBytes, partitions: [one] }, (fetched) => {
      const [result] = fetched.partitions
      if (result === undefined || this.#closed) return
      const { records, ...rest } = result
      const bytes = Buffer.from(records ?? [])
      fetched.release()
      answer({ ...rest, bytes })
    })
    if (!this.#isPolling) this.#poll(this.#random.int(0, 4))
  }

  /** Both threads end with their process. */
  close(): void {
    this.#closed = true
    this.#asking.close()
    this.#serving.close()
  }

  /** Turns of the two event loops come when they come, and seldom while nothing moves. */
  #poll(delayMs: number): void {
    this.#isPolling = true
    this.#after(delayMs, () => {
      if (this.#closed) return
      const moved = this.#turnOf(this.#asking) + this.#turnOf(this.#serving)
      const waits = this.#asking.unanswered(PARTITIONS) + this.#asking.backlog(PARTITIONS)
      if (moved > 0) this.#poll(this.#random.int(0, 4))
      else if (waits > 0) this.#poll(this.#random.int(5, 30))
      else this.#isPolling = false
    })
  }

  #turnOf(bus: ThreadBus): number {
    return this.#random.chance(0.7) ? bus.poll() : 1
  }
}
