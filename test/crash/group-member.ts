/** A member of a group that reads and commits until it is told to leave, or dies without a word. */
import { ConsumerEngine } from '../../src/client/consumer-engine.ts'
import type { ConsumerSettings } from '../../src/client/consumer-options.ts'
import type { TopicPartition } from '../../src/client/topic-partition.ts'
import type { Seeded } from '../support/seeded.ts'
import type { GroupLedger } from './group-ledger.ts'

/** Session of every member, ms: the shortest that brokers allow. */
export const SESSION_MS = 6000
const HEARTBEAT_MS = 300
const POLL_MS = 200
const RECORDS_MAX = 20
const COMMIT_MS_MAX = 20_000

/** What a member is made of. */
export interface CrashMemberParts {
  readonly name: string
  readonly port: number
  readonly topic: string
  readonly settings: ConsumerSettings
  readonly ledger: GroupLedger
  readonly random: Seeded
}

export class CrashMember {
  readonly name: string
  /** Commits that were acknowledged. */
  commits = 0
  /** Resolves when it runs no more; rejects if it could not go on. */
  readonly ended: Promise<void>
  readonly #engine: ConsumerEngine<Buffer, Buffer>
  readonly #parts: CrashMemberParts
  /** Behind the last record of each partition; undefined: nothing was read since it came. */
  readonly #next = new Map<number, number | undefined>()
  /** What was acknowledged when the partition came. */
  readonly #known = new Map<number, number>()
  #stopped = false

  constructor(parts: CrashMemberParts) {
    this.#parts = parts
    this.name = parts.name
    this.#engine = new ConsumerEngine({
      bootstrapServers: `127.0.0.1:${parts.port}`,
      clientId: parts.name,
      groupId: parts.ledger.group,
      sessionTimeoutMs: SESSION_MS,
      heartbeatIntervalMs: HEARTBEAT_MS,
      enableAutoCommit: false,
      autoOffsetReset: 'earliest',
      ...parts.settings,
    })
    this.ended = this.#run()
    // Looked at when the round ends; until then nobody waits for it.
    this.ended.catch(() => {})
  }

  /** What it believes to own. */
  get owned(): number[] {
    return [...this.#engine.positions.all()].map(({ partition }) => partition)
  }

  /** Leaves the group. */
  async leave(): Promise<void> {
    this.#stopped = true
    await this.#engine.close(COMMIT_MS_MAX)
    await this.ended
  }

  /** Closes its connections in the middle of whatever it does. */
  async die(): Promise<void> {
    this.#stopped = true
    this.#engine.cluster.close()
    await this.#engine.close(0)
    await this.ended
  }

  async #run(): Promise<void> {
    const engine = this.#engine
    const assigned = (partitions: readonly TopicPartition[]) => this.#onAssigned(partitions)
    await engine.subscribe([this.#parts.topic], { onPartitionsAssigned: assigned })
    while (!this.#stopped) {
      try {
        await this.#readSome()
        if (this.#parts.random.chance(0.8)) await this.#commit()
      } catch (error) {
        if (!this.#stopped) throw error
      }
    }
  }

  #onAssigned(added: readonly TopicPartition[]): void {
    const { ledger } = this.#parts
    for (const { partition } of added) {
      this.#next.set(partition, undefined)
      this.#known.set(partition, ledger.acknowledgedOf(partition))
    }
    ledger.owns(this.#engine.identity.generation, this.owned, this.name)
  }

  async #readSome(): Promise<void> {
    const { gate, fetcher } = this.#engine
    gate.enter()
    try {
      if (!(await this.#engine.ready(performance.now() + POLL_MS, undefined))) return
      for (let i = 0; i < RECORDS_MAX; i++) {
        const record = fetcher.take()
        if (record === undefined) return
        this.#onRecord(record)
      }
    } finally {
      gate.leave()
    }
  }

  #onRecord({ partition, offset }: { partition: number; offset: number }): void {
    const { ledger } = this.#parts
    const expected = this.#next.get(partition)
    if (expected !== undefined) ledger.reads(partition, offset, expected, this.name)
    else ledger.holds(partition, offset, this.#known.get(partition) ?? -1)
    this.#next.set(partition, offset + 1)
  }

  /** A commit that the group refuses is one of the things that happen. */
  async #commit(): Promise<void> {
    const { ledger } = this.#parts
    const offsets = this.#engine.positionsToCommit().filter(({ partition }) => {
      return this.#next.get(partition) !== undefined
    })
    if (offsets.length === 0) return
    for (const { partition, offset } of offsets) ledger.tries(partition, offset)
    try {
      await this.#engine.commits.commit(offsets, COMMIT_MS_MAX, false)
    } catch {
      return
    }
    for (const { partition, offset } of offsets) ledger.acknowledged(partition, offset, this.name)
    this.commits++
  }
}
