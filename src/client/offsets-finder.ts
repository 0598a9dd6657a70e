/** Finds where to start: what is committed, else what autoOffsetReset says. Works in the
 *  background; what the user seeks meanwhile counts more. */
import { ErrorCode } from '../protocol/errors.ts'
import type { ResolvedConsumerSettings } from './consumer-options.ts'
import { type PartitionState, type Positions, resetTo, seekTo } from './consumer-positions.ts'
import { asKafkaError, KafkaError } from './errors.ts'
import type { MemberIdentity } from './group.ts'
import type { Offsets } from './offsets.ts'
import { keyOf } from './topic-partition.ts'

/** Lives with one consumer. Between calls: at most one look-up is under way. */
export class PositionFinder {
  readonly #positions: Positions
  readonly #offsets: Offsets
  readonly #settings: ResolvedConsumerSettings
  readonly #member: () => MemberIdentity
  readonly #wake: () => void
  #running: Promise<void> | undefined
  #failure: KafkaError | undefined

  constructor(
    positions: Positions,
    offsets: Offsets,
    settings: ResolvedConsumerSettings,
    member: () => MemberIdentity,
    wake: () => void,
  ) {
    this.#positions = positions
    this.#offsets = offsets
    this.#settings = settings
    this.#member = member
    this.#wake = wake
  }

  /** Throws what the last look-up met; the next call tries again. */
  throwFailure(): void {
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) throw failure
  }

  /** Looks for all positions that are not known. Resolves when there is nothing left to look for,
   *  or a look-up has failed. */
  find(): Promise<void> {
    if (this.#running !== undefined) return this.#running
    if (this.#wanting().length === 0) return Promise.resolve()
    this.#running = this.#run()
    return this.#running
  }

  async #run(): Promise<void> {
    try {
      for (let wanting = this.#wanting(); wanting.length > 0; wanting = this.#wanting()) {
        await this.#lookUp(wanting)
      }
    } catch (error) {
      this.#failure = asKafkaError(error)
    } finally {
      this.#running = undefined
      this.#wake()
    }
  }

  #wanting(): PartitionState[] {
    return [...this.#positions.all()].filter(({ position }) => position === undefined)
  }

  async #lookUp(wanting: readonly PartitionState[]): Promise<void> {
    const fresh = wanting.filter((state) => state.resetTo === undefined)
    if (fresh.length > 0) {
      await this.#fromCommitted(fresh)
      return
    }
    const before = new Map(wanting.map((state) => [state.key, state.generation]))
    const queries = wanting.map(({ topic, partition, resetTo: at = 'latest' }) => ({
      topic,
      partition,
      at,
    }))
    const found = await this.#offsets.find(queries, this.#settings.defaultApiTimeoutMs)
    for (const one of found) {
      const state = this.#positions.get(one)
      if (state === undefined || state.generation !== before.get(state.key)) continue
      // Behind the last record of a time there is only the end.
      if (one.offset === undefined) resetTo(state, 'latest')
      else seekTo(state, one.offset)
    }
  }

  async #fromCommitted(states: readonly PartitionState[]): Promise<void> {
    const { groupId, defaultApiTimeoutMs } = this.#settings
    const before = new Map(states.map((state) => [state.key, state.generation]))
    const committed =
      groupId === undefined
        ? states.map((one) => ({ ...one, offset: undefined, leaderEpoch: -1 }))
        : await this.#offsets.committed(states, this.#member, defaultApiTimeoutMs)
    for (const one of committed) {
      const state = this.#positions.get(one)
      if (state === undefined || state.generation !== before.get(keyOf(one))) continue
      if (one.offset === undefined) this.#reset(state)
      else seekTo(state, one.offset, one.leaderEpoch)
    }
  }

  #reset(state: PartitionState): void {
    const { autoOffsetReset } = this.#settings
    if (autoOffsetReset !== 'none') {
      resetTo(state, autoOffsetReset)
      return
    }
    throw new KafkaError(ErrorCode.OFFSET_OUT_OF_RANGE, {
      message: `Nothing is committed of ${state.key}, and autoOffsetReset is 'none'.`,
      hint: 'seek() in onPartitionsAssigned, or set autoOffsetReset.',
    })
  }
}
