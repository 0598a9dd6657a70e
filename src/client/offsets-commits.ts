/** Commits one after the other, so that an older one never overwrites a newer one. */
import type { ClusterClient } from './cluster-client.ts'
import { asKafkaError, type KafkaError, TimeoutError } from './errors.ts'
import type { MemberIdentity } from './group.ts'
import { onOffsetError } from './group-reactions.ts'
import type { OffsetToCommit } from './offsets.ts'
import { keyOf } from './topic-partition.ts'

/** One try. */
export type CommitOnce = (
  offsets: readonly OffsetToCommit[],
  member: MemberIdentity,
) => Promise<void>

/** Lives with one consumer. At most one request is under way. */
export class Commits {
  readonly #cluster: Pick<ClusterClient, 'backoffMs' | 'wait'>
  readonly #once: CommitOnce
  readonly #member: () => MemberIdentity
  /** The last commit that names a partition. */
  readonly #newest = new Map<string, number>()
  #serial = 0
  #tail: Promise<unknown> = Promise.resolve()

  constructor(
    cluster: Pick<ClusterClient, 'backoffMs' | 'wait'>,
    once: CommitOnce,
    member: () => MemberIdentity,
  ) {
    this.#cluster = cluster
    this.#once = once
    this.#member = member
  }

  /**
   * Retries until the offsets are committed. `yields`: gives way to newer commits of the same
   * partitions instead of being retried. Rejects with KafkaError: TimeoutError, or what a retry
   * cannot mend, such as a group that has rebalanced.
   */
  commit(offsets: readonly OffsetToCommit[], timeoutMs: number, yields: boolean): Promise<void> {
    const serial = ++this.#serial
    for (const one of offsets) this.#newest.set(keyOf(one), serial)
    const deadlineMs = performance.now() + timeoutMs
    const mine = this.#tail.then(() => this.#run(offsets, serial, deadlineMs, yields))
    this.#tail = mine.catch(() => {})
    return mine
  }

  /** Resolves when all that was asked for is committed or given up. */
  async settled(): Promise<void> {
    await this.#tail
  }

  async #run(
    offsets: readonly OffsetToCommit[],
    serial: number,
    deadlineMs: number,
    yields: boolean,
  ): Promise<void> {
    for (let tries = 0; ; tries++) {
      const left = yields
        ? offsets.filter((one) => this.#newest.get(keyOf(one)) === serial)
        : offsets
      if (left.length === 0) return
      try {
        await this.#once(left, this.#member())
        return
      } catch (error) {
        const failure = asKafkaError(error)
        if (!isWorthRetry(failure)) throw failure
        const waitMs = this.#cluster.backoffMs(tries)
        if (performance.now() + waitMs >= deadlineMs) {
          throw new TimeoutError(`The offsets could not be committed: ${failure.message}`, failure)
        }
        await this.#cluster.wait(waitMs)
      }
    }
  }
}

function isWorthRetry(failure: KafkaError): boolean {
  const reaction = onOffsetError(failure.code)
  if (reaction === 'rejoin' || reaction === 'reset') return false
  return reaction !== 'fail' || failure.retriable
}
