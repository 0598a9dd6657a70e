/**
 * Fetches ahead of the user, within a bound, and hands out records. One request per broker is under
 * way; it always names all partitions that are read there, so that sessions have little to say and
 * no partition waits behind another's long poll.
 */
import { Fetch } from '../protocol/apis/01-fetch.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { ResponseOf } from '../protocol/schema.ts'
import type { ClusterClient } from './cluster-client.ts'
import type { ConsumerMetrics } from './consumer-metrics.ts'
import type { ResolvedConsumerSettings } from './consumer-options.ts'
import { type PartitionState, type Positions, resetTo, seekTo } from './consumer-positions.ts'
import type { ConsumerRecord } from './consumer-record.ts'
import { asKafkaError, isInvalidMetadata, KafkaError, kafkaError } from './errors.ts'
import { type ChunkTools, endOf, FetchedChunk } from './fetcher-chunk.ts'
import {
  FetchSession,
  type FetchTarget,
  groupedByTopic,
  isSessionError,
} from './fetcher-session.ts'
import { PositionValidator } from './position-validator.ts'

/** The last version that names topics; later ones need their ids. */
const NAMES_VERSION_MAX = 12

type FetchAnswer = ResponseOf<typeof Fetch>
type PartitionAnswer = FetchAnswer['responses'][number]['partitions'][number]

/** A broker that is fetched from. */
interface FetchNode {
  readonly nodeId: number
  readonly session: FetchSession<Asked>
  busy: boolean
  failures: number
  /** Monotonic ms. */
  notBeforeMs: number
}

/** What lies ready for the user. */
interface Ready<K, V> {
  readonly chunk: FetchedChunk<K, V>
  readonly state: PartitionState
  readonly generation: number
}

/** A partition in a request. */
interface Asked extends FetchTarget {
  readonly state: PartitionState
  readonly generation: number
}

/** Lives with one consumer. Between calls: `#queuedBytes` is what lies in the queue. */
export class Fetcher<K, V> {
  readonly #cluster: ClusterClient
  readonly #positions: Positions
  readonly #settings: ResolvedConsumerSettings
  readonly #tools: ChunkTools<K, V>
  readonly #metrics: ConsumerMetrics
  readonly #wake: () => void
  readonly #validator: PositionValidator
  readonly #nodes = new Map<number, FetchNode>()
  #queue: Ready<K, V>[] = []
  #queuedBytes = 0
  #current: Ready<K, V> | undefined
  #errors: KafkaError[] = []
  #timer: NodeJS.Timeout | undefined
  #closed = false

  /** `wake`: there is something to take, or a position to look up. */
  constructor(
    cluster: ClusterClient,
    positions: Positions,
    settings: ResolvedConsumerSettings,
    tools: ChunkTools<K, V>,
    metrics: ConsumerMetrics,
    wake: () => void,
  ) {
    this.#cluster = cluster
    this.#positions = positions
    this.#settings = settings
    this.#tools = tools
    this.#metrics = metrics
    this.#wake = wake
    this.#validator = new PositionValidator(cluster, positions, settings.autoOffsetReset, {
      onValidated: () => this.pump(),
      onReset: wake,
      onFailure: (error) => this.#fail(error),
    })
  }

  /** Bytes that are fetched and not handed out yet. */
  get queuedBytes(): number {
    return this.#queuedBytes
  }

  // hot
  /** The next record if one lies ready; its partition's position moves behind it. Throws KafkaError
   *  for damaged bytes, or what a partition's last fetch met. */
  take(): ConsumerRecord<K, V> | undefined {
    for (;;) {
      const current = this.#current
      if (current === undefined) {
        if (!this.#shift()) return undefined
        continue
      }
      const { state, chunk } = current
      if (state.generation !== current.generation) {
        this.#drop()
        continue
      }
      const record = chunk.next()
      state.position = chunk.nextOffset
      state.positionEpoch = chunk.leaderEpoch
      if (record !== undefined) {
        this.#metrics.recordsConsumed++
        return record
      }
      this.#drop()
      this.pump()
    }
  }

  /** Up to `recordsMax` records of one partition; none if nothing lies ready. Throws as `take`. */
  takeBatch(recordsMax: number): ConsumerRecord<K, V>[] {
    const first = this.take()
    if (first === undefined) return []
    const records = [first]
    const { chunk, state } = this.#current as Ready<K, V>
    try {
      while (records.length < recordsMax) {
        const record = chunk.next()
        if (record === undefined) break
        records.push(record)
      }
    } catch (error) {
      // What is damaged is met again by the next call.
      if (!(error instanceof KafkaError)) throw error
    }
    state.position = chunk.nextOffset
    state.positionEpoch = chunk.leaderEpoch
    this.#metrics.recordsConsumed += records.length - 1
    return records
  }

  /** An error that the user is to see with the next call. Damage is met again anyhow. */
  putBack(error: unknown): void {
    if (error instanceof KafkaError && this.#current === undefined) this.#errors.unshift(error)
  }

  /** Whether `take` has a record or an error. It may be neither when all is left out. */
  get hasReady(): boolean {
    return this.#current !== undefined || this.#queue.length > 0 || this.#errors.length > 0
  }

  /** Asks brokers for more where there is room for it. */
  pump(): void {
    if (this.#closed || this.#queuedBytes >= this.#settings.prefetchBytesMax) return
    const now = performance.now()
    let nextMs = Infinity
    for (const [nodeId, states] of this.#byLeader(now)) {
      const node = this.#nodeOf(nodeId)
      if (node.busy) continue
      if (node.notBeforeMs > now) nextMs = Math.min(nextMs, node.notBeforeMs)
      else void this.#fetch(node, states)
    }
    for (const { notBeforeMs } of this.#positions.all()) {
      if (notBeforeMs > now) nextMs = Math.min(nextMs, notBeforeMs)
    }
    if (nextMs !== Infinity) this.#pumpLater(nextMs - now)
  }

  /** Asks no more. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#queue = []
    this.#current = undefined
    this.#queuedBytes = 0
  }

  #shift(): boolean {
    const error = this.#errors.shift()
    if (error !== undefined) throw error
    this.#current = this.#queue.shift()
    return this.#current !== undefined
  }

  #drop(): void {
    if (this.#current !== undefined) this.#queuedBytes -= this.#current.chunk.bytes
    this.#current = undefined
  }

  /** Partitions that can be fetched, by leader. */
  #byLeader(now: number): Map<number, PartitionState[]> {
    const nodes = new Map<number, PartitionState[]>()
    const doubtful = new Map<number, PartitionState[]>()
    const { metadata } = this.#cluster
    let unknown: string[] | undefined
    for (const state of this.#positions.all()) {
      if (state.position === undefined || state.paused || state.notBeforeMs > now) continue
      const { leaderId = -1, leaderEpoch = -1 } =
        metadata.topic(state.topic)?.partitions[state.partition] ?? {}
      if (leaderId < 0) {
        unknown ??= []
        unknown.push(state.topic)
        state.notBeforeMs = now + this.#cluster.backoffMs(0)
        continue
      }
      const lists = this.#validator.isNeeded(state, leaderEpoch) ? doubtful : nodes
      const list = lists.get(leaderId)
      if (list === undefined) lists.set(leaderId, [state])
      else list.push(state)
    }
    for (const [nodeId, states] of doubtful) this.#validator.ask(nodeId, states)
    if (unknown !== undefined) this.#refresh(unknown)
    return nodes
  }

  #nodeOf(nodeId: number): FetchNode {
    let node = this.#nodes.get(nodeId)
    if (node === undefined) {
      node = { nodeId, session: new FetchSession(), busy: false, failures: 0, notBeforeMs: 0 }
      this.#nodes.set(nodeId, node)
    }
    return node
  }

  async #fetch(node: FetchNode, states: readonly PartitionState[]): Promise<void> {
    node.busy = true
    const asked = states.map((state) => this.#askedOf(state))
    const askedMs = performance.now()
    try {
      const answer = await this.#request(node, asked)
      this.#metrics.fetches++
      this.#metrics.fetchMs += performance.now() - askedMs
      node.failures = 0
      if (this.#closed) return
      if (node.session.onAnswer(answer.errorCode, answer.sessionId)) {
        this.#onAnswer(node, answer)
      } else if (!isSessionError(answer.errorCode)) {
        throw kafkaError(answer.errorCode)
      }
    } catch (error) {
      node.session.onFailure()
      if (this.#closed) return
      const failure = asKafkaError(error)
      node.notBeforeMs = performance.now() + this.#cluster.backoffMs(node.failures++)
      if (failure.retriable) this.#refresh(states.map(({ topic }) => topic))
      else this.#fail(failure)
    } finally {
      node.busy = false
      this.pump()
    }
  }

  #askedOf(state: PartitionState): Asked {
    const { topic, partition, fetchOffset, generation } = state
    const known = this.#cluster.metadata.topic(topic)
    const leaderEpoch = known?.partitions[partition]?.leaderEpoch ?? -1
    const { topicId } = known ?? { topicId: undefined }
    return { topic, topicId, partition, fetchOffset, leaderEpoch, state, generation }
  }

  #request(node: FetchNode, asked: readonly Asked[]): Promise<FetchAnswer> {
    const { fetchMaxWaitMs, fetchMinBytes, maxPartitionFetchBytes } = this.#settings
    const room = this.#settings.prefetchBytesMax - this.#queuedBytes
    const maxBytes = Math.max(1, Math.min(this.#settings.fetchMaxBytes, room))
    const hasIds = asked.every(({ topicId }) => topicId !== undefined)
    const plan = node.session.plan(asked)
    return this.#cluster.requestNode(
      node.nodeId,
      Fetch,
      (version) => {
        const named = version <= NAMES_VERSION_MAX
        return {
          maxWaitMs: fetchMaxWaitMs,
          minBytes: fetchMinBytes,
          maxBytes,
          isolationLevel: this.#settings.isolationLevel === 'read_committed' ? 1 : 0,
          ...(version >= 7 ? { sessionId: plan.sessionId, sessionEpoch: plan.sessionEpoch } : {}),
          topics: groupedByTopic(plan.targets, named, (one) => ({
            partition: one.partition,
            currentLeaderEpoch: one.leaderEpoch,
            fetchOffset: one.fetchOffset,
            partitionMaxBytes: maxPartitionFetchBytes,
          })),
          ...(version >= 7
            ? { forgottenTopicsData: groupedByTopic(plan.forgotten, named, (one) => one.partition) }
            : {}),
          ...(version >= 11 ? { rackId: '' } : {}),
        }
      },
      {
        lane: 'fetch',
        timeoutMs: this.#cluster.settings.requestTimeoutMs + fetchMaxWaitMs,
        ...(hasIds ? {} : { versionMax: NAMES_VERSION_MAX }),
      },
    )
  }

  #onAnswer(node: FetchNode, answer: FetchAnswer): void {
    let woken = false
    for (const { topic, topicId, partitions } of answer.responses) {
      for (const one of partitions) {
        const target = node.session.target(topic, topicId, one.partitionIndex)
        if (target === undefined || target.state.generation !== target.generation) continue
        if (this.#onPartition(target, one)) woken = true
      }
    }
    if (woken) this.#wake()
  }

  /** Whether there is something for the user to see. */
  #onPartition(asked: Asked, answer: PartitionAnswer): boolean {
    const { state, topic, partition } = asked
    if (answer.errorCode !== ErrorCode.NONE) return this.#onError(asked, answer)
    state.highWatermark = answer.highWatermark
    state.lastStableOffset = answer.lastStableOffset
    // The leader of this epoch has found the offset in its log.
    state.validatedEpoch = Math.max(state.validatedEpoch, asked.leaderEpoch)
    const { records } = answer
    if (records === null || records.length === 0) return false
    const isCommitted = this.#settings.isolationLevel === 'read_committed'
    const aborted = isCommitted ? (answer.abortedTransactions ?? []) : undefined
    const chunk = new FetchedChunk(
      { topic, partition, records, aborted },
      asked.fetchOffset,
      this.#tools,
    )
    chunk.leaderEpoch = state.fetchEpoch
    const end = endOf(records, { offset: asked.fetchOffset, leaderEpoch: state.fetchEpoch })
    state.fetchOffset = end.offset
    state.fetchEpoch = end.leaderEpoch
    this.#queue.push({ chunk, state, generation: asked.generation })
    this.#queuedBytes += chunk.bytes
    this.#metrics.bytesFetched += chunk.bytes
    return true
  }

  #onError(asked: Asked, answer: PartitionAnswer): boolean {
    const { state } = asked
    const { errorCode, currentLeader } = answer
    if (errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) return this.#onOutOfRange(asked)
    if (!isInvalidMetadata(errorCode) && !kafkaError(errorCode).retriable) {
      state.notBeforeMs = performance.now() + this.#cluster.backoffMs(0)
      this.#fail(kafkaError(errorCode, `${state.key}: ${kafkaError(errorCode).message}`))
      return true
    }
    if (currentLeader.leaderId >= 0) {
      const { leaderId, leaderEpoch } = currentLeader
      this.#cluster.metadata.updateLeader(state.topic, state.partition, leaderId, leaderEpoch)
    }
    state.notBeforeMs = performance.now() + this.#cluster.backoffMs(0)
    this.#refresh([state.topic])
    return false
  }

  #onOutOfRange({ state, fetchOffset }: Asked): boolean {
    // What lies ready before the hole is handed out first; then the same fetch fails again.
    if (state.position !== fetchOffset) {
      state.notBeforeMs = performance.now() + this.#cluster.backoffMs(0)
      return false
    }
    const { autoOffsetReset } = this.#settings
    if (autoOffsetReset !== 'none') {
      const fields = { partition: state.key, offset: fetchOffset, resetTo: autoOffsetReset }
      this.#cluster.settings.log.info('the log has no such offset any more', fields)
      resetTo(state, autoOffsetReset)
      return true
    }
    // The user may seek; until then nothing is asked again at once.
    seekTo(state, fetchOffset)
    state.notBeforeMs = performance.now() + this.#cluster.backoffMs(0)
    const message = `${state.key} has no offset ${fetchOffset}.`
    this.#fail(new KafkaError(ErrorCode.OFFSET_OUT_OF_RANGE, { message }))
    return true
  }

  #fail(error: KafkaError): void {
    if (this.#errors.length === 0) this.#errors.push(error)
    this.#wake()
  }

  #refresh(topics: readonly string[]): void {
    this.#cluster.refreshMetadata(topics).then(
      () => this.pump(),
      (error: unknown) => {
        if (this.#closed) return
        this.#cluster.settings.log.debug('metadata could not be refreshed', { error })
      },
    )
  }

  #pumpLater(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.pump(), Math.max(1, ms))
  }
}
