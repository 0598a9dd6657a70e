/**
 * Fetch 4-18 (KIP-74; v7 sessions KIP-227; v9 leader epochs KIP-320; v11 rack KIP-392; v12
 * diverging epochs KIP-595; v13 topic ids KIP-516; v15 replica state KIP-903; v16 node endpoints
 * KIP-951).
 * Kept: waits for min bytes up to max wait, answers at once on any error; the first
 *   non-empty partition brings at least one whole batch; sessions rotate; read_committed stops at
 *   the last stable offset and names aborted transactions; there are no followers, so whoever
 *   says to be one is told NOT_LEADER_OR_FOLLOWER.
 * Differs: batches are never cut in the middle. The rack is ignored: there is one replica. A
 *   damaged batch is not served: its range answers CORRUPT_MESSAGE.
 */
import type { PartitionRead } from '../../actors/mailbox/hot.ts'
import type { PartitionImage } from '../../cluster/image.ts'
import { Fetch } from '../../protocol/apis/01-fetch.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { RequestOf, ResponseInput } from '../../protocol/schema.ts'
import type { FetchSession, FetchTarget, SessionPlan } from '../fetch-session.ts'
import type { Fetched, FetchedPartition } from '../partition-proxy.ts'
import type { Waiter } from '../purgatory.ts'
import { defineHandler, type Exchange } from './handler.ts'

type Request = RequestOf<typeof Fetch>
type Response = ResponseInput<typeof Fetch>
type Plan = Exclude<SessionPlan, { kind: 'refused' }>

type TopicResponse = {
  topic?: string
  topicId?: string
  partitions: PartitionResponse[]
}

type PartitionResponse = NonNullable<
  NonNullable<Response['responses']>[number]['partitions']
>[number]

/** Kafka names the leader from the version on that has its address too. */
const CURRENT_LEADER_FROM = 16

const EMPTY = Buffer.alloc(0)

export const fetch = defineHandler(Fetch, [4, 18], (request, exchange) => {
  const usesTopicIds = exchange.apiVersion >= 13
  const plan = exchange.context.fetchSessions.plan(
    {
      sessionId: request.sessionId,
      sessionEpoch: request.sessionEpoch,
      usesTopicIds,
      targets: targetsOf(request, usesTopicIds),
      forgotten: request.forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
        partitions.map((partition) => ({ topic: usesTopicIds ? topicId : topic, partition })),
      ),
    },
    exchange.context.clock.monotonicMs(),
  )
  if (plan.kind === 'refused') exchange.reply({ errorCode: plan.errorCode })
  else new FetchExchange(request, exchange, plan).start()
})

function targetsOf(request: Request, usesTopicIds: boolean): FetchTarget[] {
  const targets: FetchTarget[] = []
  for (const { topic, topicId, partitions } of request.topics) {
    const name = usesTopicIds ? topicId : topic
    for (const one of partitions) {
      targets.push({
        topic: name,
        partition: one.partition,
        fetchOffset: one.fetchOffset,
        maxBytes: Math.max(0, one.partitionMaxBytes),
        // Other APIs know -1 only; here any negative epoch is none.
        currentLeaderEpoch: Math.max(-1, one.currentLeaderEpoch),
        lastFetchedEpoch: one.lastFetchedEpoch,
        sentHighWatermark: -1,
        sentLogStartOffset: -1,
      })
    }
  }
  return targets
}

/** The targets of a fetch that live on one thread. */
interface ThreadPart {
  thread: number
  reads: PartitionRead[]
  /** Place of each read among the targets. */
  places: number[]
  fetched: Fetched | undefined
}

/** One Fetch under way: reads, waits when there is too little, reads again. */
class FetchExchange implements Waiter {
  readonly slots: number[] = []
  readonly #exchange: Exchange<Response>
  readonly #plan: Plan
  readonly #readCommitted: boolean
  readonly #minBytes: number
  readonly #maxBytes: number
  readonly #maxWaitMs: number
  readonly #usesTopicIds: boolean
  readonly #follower: boolean
  readonly #parts: ThreadPart[] = []
  /** Results by place among the targets. */
  readonly #results: FetchedPartition[] = []
  #pendingParts = 0
  #waiting = false
  #reading = false
  #wokenWhileReading = false
  #timedOut = false
  #cancelTimer: (() => void) | undefined

  constructor(request: Request, exchange: Exchange<Response>, plan: Plan) {
    this.#exchange = exchange
    this.#plan = plan
    this.#usesTopicIds = exchange.apiVersion >= 13
    this.#follower = request.replicaId >= 0 || request.replicaState.replicaId >= 0
    this.#readCommitted = request.isolationLevel === 1
    this.#minBytes = request.minBytes
    this.#maxWaitMs = request.maxWaitMs
    const fetchMaxBytes = exchange.context.image.brokerConfig['fetch.max.bytes']
    this.#maxBytes = Math.max(0, Math.min(request.maxBytes, fetchMaxBytes))
  }

  start(): void {
    let failed = false
    for (const [place, target] of this.#plan.targets.entries()) {
      const partition = this.#partitionOf(target)
      if (typeof partition === 'number') {
        this.#results[place] = nothing(partition as ErrorCode)
        failed = true
        continue
      }
      if (this.#follower) {
        this.#results[place] = { ...nothing(ErrorCode.NOT_LEADER_OR_FOLLOWER), aborted: null }
        failed = true
        continue
      }
      this.slots.push(partition.slot)
      const part = this.#partOf(partition.thread)
      part.places.push(place)
      part.reads.push({
        slot: partition.slot,
        maxBytes: target.maxBytes,
        fetchOffset: target.fetchOffset,
        currentLeaderEpoch: target.currentLeaderEpoch,
        lastFetchedEpoch: target.lastFetchedEpoch,
      })
    }
    const mayWait = !failed && this.#parts.length > 0 && this.#maxWaitMs > 0 && this.#minBytes > 0
    this.#timedOut = !mayWait
    this.#read(mayWait && this.#minBytes > 1)
  }

  wake(): void {
    this.#waiting = false
    if (this.#reading) this.#wokenWhileReading = true
    else this.#lookAgain()
  }

  #lookAgain(): void {
    if (this.#exchange.abandoned) {
      this.#cancelTimer?.()
      return
    }
    this.#read(!this.#timedOut && this.#minBytes > 1)
  }

  #partitionOf(target: FetchTarget): PartitionImage | ErrorCode {
    const { image } = this.#exchange.context
    const topic = this.#usesTopicIds ? image.topicById(target.topic) : image.topic(target.topic)
    if (topic === undefined && this.#usesTopicIds) return ErrorCode.UNKNOWN_TOPIC_ID
    return topic?.partitions[target.partition] ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  }

  #partOf(thread: number): ThreadPart {
    for (const part of this.#parts) if (part.thread === thread) return part
    const part: ThreadPart = { thread, reads: [], places: [], fetched: undefined }
    this.#parts.push(part)
    return part
  }

  /** One pass over all threads. `measure`: only see how much there is. */
  #read(measure: boolean): void {
    const { partitions } = this.#exchange.context
    this.#reading = true
    this.#pendingParts = this.#parts.length + 1
    const watch = this.#waiting
    for (const part of this.#parts) {
      const order = {
        readCommitted: this.#readCommitted,
        measure,
        watch,
        maxBytes: this.#maxBytes,
        partitions: part.reads,
      }
      partitions.read(part.thread, order, (fetched) => {
        part.fetched = fetched
        for (const [i, place] of part.places.entries()) {
          this.#results[place] = fetched.partitions[i] as FetchedPartition
        }
        this.#onPart(measure)
      })
    }
    this.#onPart(measure)
  }

  #onPart(measure: boolean): void {
    this.#pendingParts--
    if (this.#pendingParts > 0) return
    this.#reading = false
    if (this.#enough()) {
      this.#stopWaiting()
      if (measure) this.#read(false)
      else this.#reply()
      return
    }
    this.#releaseParts()
    if (this.#wokenWhileReading) {
      this.#wokenWhileReading = false
      this.#wait()
    } else if (!this.#waiting) this.#wait()
  }

  /** Joins those who wait, then looks once more: what came in between would wake nobody. */
  #wait(): void {
    if (this.#exchange.abandoned) {
      this.#cancelTimer?.()
      return
    }
    const { purgatory, after } = this.#exchange.context
    this.#waiting = true
    purgatory.add(this)
    this.#exchange.onAbandoned = () => {
      this.#stopWaiting()
      this.#cancelTimer?.()
    }
    this.#cancelTimer ??= after(this.#maxWaitMs, () => {
      this.#timedOut = true
      this.#stopWaiting()
      if (!this.#reading) this.#lookAgain()
    })
    this.#read(this.#minBytes > 1)
  }

  #stopWaiting(): void {
    if (!this.#waiting) return
    this.#waiting = false
    this.#exchange.context.purgatory.remove(this)
  }

  #enough(): boolean {
    if (this.#timedOut) return true
    let bytes = 0
    for (const result of this.#results) {
      if (result.errorCode !== ErrorCode.NONE || result.divergingEpoch !== undefined) return true
      bytes += result.availableBytes
    }
    return bytes >= this.#minBytes
  }

  #reply(): void {
    this.#cancelTimer?.()
    if (this.#parts.length > 1) this.#keepToBudget()
    const session = this.#plan.session
    const response: Response = { sessionId: session?.id ?? 0, responses: this.#responses() }
    this.#exchange.reply(response, () => this.#releaseParts())
  }

  /** Each thread had the whole budget: the request's order decides what goes. */
  #keepToBudget(): void {
    let left = this.#maxBytes
    let first = true
    for (const result of this.#results) {
      if (result.records === undefined) continue
      if (!first && result.records.length > left) {
        result.records = undefined
        continue
      }
      left -= result.records.length
      first = false
    }
  }

  #responses(): TopicResponse[] {
    const responses: TopicResponse[] = []
    const incremental = this.#plan.kind === 'incremental'
    let last: string | undefined
    for (const [place, target] of this.#plan.targets.entries()) {
      const result = this.#results[place] as FetchedPartition
      if (!isNews(target, result, incremental)) continue
      noteSent(this.#plan.session, target, result)
      if (last !== target.topic) {
        last = target.topic
        const named = this.#usesTopicIds ? { topicId: last } : { topic: last }
        responses.push({ ...named, partitions: [] })
      }
      const response = partitionResponse(target, result)
      if (result.errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER) this.#tellLeader(target, response)
      responses[responses.length - 1]?.partitions.push(response)
    }
    return responses
  }

  /** Who asks the wrong broker is told the right one. KIP-951. */
  #tellLeader(target: FetchTarget, response: PartitionResponse): void {
    const partition = this.#partitionOf(target)
    if (this.#exchange.apiVersion < CURRENT_LEADER_FROM || typeof partition === 'number') return
    const { nodeId } = this.#exchange.context.image
    response.currentLeader = { leaderId: nodeId, leaderEpoch: partition.leaderEpoch }
  }

  #releaseParts(): void {
    for (const part of this.#parts) {
      part.fetched?.release()
      part.fetched = undefined
    }
  }
}

/** Whether an incremental answer has to name the partition. */
function isNews(target: FetchTarget, result: FetchedPartition, incremental: boolean): boolean {
  return (
    !incremental ||
    result.records !== undefined ||
    result.errorCode !== ErrorCode.NONE ||
    result.divergingEpoch !== undefined ||
    result.highWatermark !== target.sentHighWatermark ||
    result.logStartOffset !== target.sentLogStartOffset
  )
}

function noteSent(
  session: FetchSession | undefined,
  target: FetchTarget,
  result: FetchedPartition,
): void {
  // After an error the partition is told again once it is well.
  target.sentHighWatermark = result.errorCode === ErrorCode.NONE ? result.highWatermark : -1
  target.sentLogStartOffset = result.logStartOffset
  if (result.records !== undefined) session?.rotate(target)
}

function partitionResponse(target: FetchTarget, result: FetchedPartition): PartitionResponse {
  const response: PartitionResponse = {
    partitionIndex: target.partition,
    errorCode: result.errorCode,
    highWatermark: result.highWatermark,
    lastStableOffset: result.lastStableOffset,
    logStartOffset: result.logStartOffset,
    abortedTransactions: result.aborted === null ? null : [...result.aborted],
    records: result.records ?? EMPTY,
  }
  return result.divergingEpoch === undefined
    ? response
    : { ...response, divergingEpoch: result.divergingEpoch }
}

function nothing(errorCode: ErrorCode): FetchedPartition {
  return {
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    records: undefined,
    availableBytes: 0,
    // Kafka's null is for what the log was asked; errors found before have the field's default.
    aborted: [],
    divergingEpoch: undefined,
  }
}
