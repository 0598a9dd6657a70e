/**
 * Asks a new leader whether what was read is still in its log: after an unclean election, or on a
 * broker whose disk has lost records, it may be gone, and offsets behind may since have been given
 * to others. KIP-320.
 */
import { OffsetForLeaderEpoch } from '../protocol/apis/23-offset-for-leader-epoch.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { ClusterClient } from './cluster-client.ts'
import {
  dropFetched,
  type PartitionState,
  type Positions,
  resetTo,
  seekTo,
} from './consumer-positions.ts'
import { asKafkaError, type KafkaError, kafkaError, LogTruncationError } from './errors.ts'
import { byTopic, keyOf } from './topic-partition.ts'

/** What an answer means for a partition. `cut`: all from `endOffset` on is gone; `unknown`: the
 *  leader has nothing as old. */
export type Truncation =
  | { readonly kind: 'none' }
  | { readonly kind: 'cut'; readonly endOffset: number; readonly leaderEpoch: number }
  | { readonly kind: 'unknown' }

/** Compares the end of the epoch of what was fetched last, as the leader knows it, with the offset
 *  that would be fetched next. -1 is not known. */
export function truncationOf(
  fetchOffset: number,
  answer: { readonly endOffset: number; readonly leaderEpoch: number },
): Truncation {
  const { endOffset, leaderEpoch } = answer
  if (endOffset < 0 || leaderEpoch < 0) return { kind: 'unknown' }
  if (endOffset < fetchOffset) return { kind: 'cut', endOffset, leaderEpoch }
  return { kind: 'none' }
}

/** Whoever fetches. */
export interface ValidationListener {
  /** Some partitions may be fetched again. */
  onValidated(): void
  /** Positions have to be looked up. */
  onReset(): void
  /** The user has to know. */
  onFailure(error: KafkaError): void
}

/** Lives with one consumer. Between calls: a partition is asked about by one request at most. */
export class PositionValidator {
  readonly #cluster: ClusterClient
  readonly #positions: Positions
  readonly #resets: 'earliest' | 'latest' | 'none'
  readonly #listener: ValidationListener
  readonly #asked = new Set<PartitionState>()

  constructor(
    cluster: ClusterClient,
    positions: Positions,
    resets: 'earliest' | 'latest' | 'none',
    listener: ValidationListener,
  ) {
    this.#cluster = cluster
    this.#positions = positions
    this.#resets = resets
    this.#listener = listener
  }

  /** Whether the leader of this epoch has to be asked before a fetch. */
  isNeeded(state: PartitionState, leaderEpoch: number): boolean {
    return state.fetchEpoch >= 0 && leaderEpoch > state.validatedEpoch
  }

  /** Asks about those that are not asked about already. */
  ask(nodeId: number, states: readonly PartitionState[]): void {
    const fresh = states.filter((state) => !this.#asked.has(state))
    if (fresh.length === 0) return
    for (const state of fresh) this.#asked.add(state)
    void this.#ask(nodeId, fresh)
  }

  async #ask(nodeId: number, states: readonly PartitionState[]): Promise<void> {
    const wanted = states.map((state) => {
      const { topic, partition, generation, fetchEpoch } = state
      return { topic, partition, state, generation, fetchEpoch, epoch: this.#epochOf(state) }
    })
    try {
      const answers = await this.#request(nodeId, wanted)
      for (const one of wanted) {
        const answer = answers.get(keyOf(one))
        if (one.state.generation === one.generation) this.#onAnswer(one.state, one.epoch, answer)
      }
    } catch (error) {
      const failure = asKafkaError(error)
      // A broker that does not know the request cannot be asked.
      if (failure.code === ErrorCode.UNSUPPORTED_VERSION) {
        for (const { state, epoch } of wanted) state.validatedEpoch = epoch
      } else for (const { state } of wanted) this.#onError(state, failure)
    } finally {
      for (const state of states) this.#asked.delete(state)
      this.#listener.onValidated()
    }
  }

  async #request(nodeId: number, wanted: readonly (Wanted & { epoch: number })[]) {
    const { topics } = await this.#cluster.requestNode(nodeId, OffsetForLeaderEpoch, () => ({
      replicaId: -1,
      topics: [...byTopic(wanted)].map(([topic, list]) => ({
        topic,
        partitions: list.map(({ partition, fetchEpoch, epoch }) => ({
          partition,
          currentLeaderEpoch: epoch,
          leaderEpoch: fetchEpoch,
        })),
      })),
    }))
    const answers = topics.flatMap(({ topic, partitions }) =>
      partitions.map((one) => [keyOf({ topic, partition: one.partition }), one] as const),
    )
    return new Map(answers)
  }

  #onAnswer(
    state: PartitionState,
    epoch: number,
    answer: { errorCode: number; endOffset: number; leaderEpoch: number } | undefined,
  ): void {
    if (answer === undefined || answer.errorCode !== ErrorCode.NONE) {
      const code = answer?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
      this.#onError(state, kafkaError(code, `${state.key}: ${kafkaError(code).message}`))
      return
    }
    const truncation = truncationOf(state.fetchOffset, answer)
    if (truncation.kind === 'none') state.validatedEpoch = epoch
    else if (truncation.kind === 'unknown') this.#onCut(state, undefined)
    else if (state.position !== undefined && state.position <= truncation.endOffset) {
      // Only what was fetched ahead is gone; the position itself is asked about anew.
      dropFetched(state)
    } else this.#onCut(state, truncation)
  }

  #onCut(
    state: PartitionState,
    cut: { readonly endOffset: number; readonly leaderEpoch: number } | undefined,
  ): void {
    const { key, position = state.fetchOffset } = state
    if (this.#resets === 'none') {
      state.notBeforeMs = performance.now() + this.#cluster.backoffMs(0)
      this.#listener.onFailure(new LogTruncationError(key, position, cut?.endOffset))
      return
    }
    const fields = { partition: key, position, divergentOffset: cut?.endOffset }
    this.#cluster.settings.log.warn('the log has lost records that were read', fields)
    if (cut === undefined) {
      resetTo(state, this.#resets)
      this.#listener.onReset()
    } else seekTo(state, cut.endOffset, cut.leaderEpoch)
  }

  #onError(state: PartitionState, failure: KafkaError): void {
    if (this.#cluster.closed || this.#positions.get(state) !== state) return
    state.notBeforeMs = performance.now() + this.#cluster.backoffMs(0)
    if (!failure.retriable) {
      this.#listener.onFailure(failure)
      return
    }
    this.#cluster.refreshMetadata([state.topic]).catch((error: unknown) => {
      this.#cluster.settings.log.debug('metadata could not be refreshed', { error })
    })
  }

  #epochOf({ topic, partition }: PartitionState): number {
    return this.#cluster.metadata.topic(topic)?.partitions[partition]?.leaderEpoch ?? -1
  }
}

interface Wanted {
  readonly topic: string
  readonly partition: number
  readonly fetchEpoch: number
}
