/**
 * Share groups as those see them who deliver their records: sessions, fetches, acknowledgements.
 * Source: Kafka's SharePartitionManager, KIP-932.
 */

import { unreachable } from '../../base/assert.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type {
  ShareAnswers,
  ShareCommand,
  ShareFetchPlan,
  ShareOutcome,
  SharePatience,
  ShareRead,
} from './commands.ts'
import { FetchWait } from './fetch-wait.ts'
import type { ShareHost } from './host.ts'
import { type SessionPartition, type ShareSession, ShareSessions } from './sessions.ts'
import {
  type AcknowledgementBatch,
  AcknowledgeType,
  type AcquiredRecords,
  type FetchedBatch,
} from './share-partition.ts'
import { SharePartitions } from './share-partitions.ts'
import type { ShareKey } from './states.ts'

type Command<K extends ShareCommand['kind']> = ShareCommand & { kind: K }
type Answer<K extends ShareCommand['kind']> = (answer: ShareAnswers[K]) => void
type AcknowledgedTopics = Command<'share-acknowledge'>['request']['topics']

const NOTHING: ShareFetchPlan = { targets: [], failed: [] }

/** Lives on the coordinator's thread. */
export class ShareService {
  readonly partitions: SharePartitions
  readonly sessions: ShareSessions
  readonly #host: ShareHost
  /** Bounded by the connections: each has one request under way. */
  readonly #waits = new Set<FetchWait>()
  #stopped = false

  constructor(host: ShareHost) {
    this.#host = host
    this.partitions = new SharePartitions(host)
    this.sessions = new ShareSessions(
      () => host.image.brokerConfig['group.share.max.share.sessions'],
    )
  }

  /** Answers once, now or later. */
  onCommand<C extends ShareCommand>(command: C, reply: Answer<C['kind']>): void {
    const answer = reply as (answer: unknown) => void
    switch (command.kind) {
      case 'share-fetch':
        this.#fetch(command, answer)
        return
      case 'share-wait':
        this.#wait(this.sessions.get(command.groupId, command.memberId), command.patience, answer)
        return
      case 'share-acquire':
        this.#acquire(command, answer)
        return
      case 'share-acknowledge':
        this.#acknowledge(command, answer)
        return
      default:
        unreachable(command)
    }
  }

  /** The broker stops: who waits is answered with what there is, and nobody waits any more. */
  stop(): void {
    this.#stopped = true
    for (const wait of [...this.#waits]) wait.stop()
  }

  /** Connections are gone: their sessions end, and what was acquired is available again. */
  onDisconnect(gone: (connection: string) => boolean): void {
    for (const { groupId, memberId } of this.sessions.closeWhere(gone)) {
      this.partitions.releaseAll(groupId, memberId)
    }
  }

  #fetch({ connection, request }: Command<'share-fetch'>, reply: Answer<'share-fetch'>): void {
    const { groupId, memberId } = namesOf(request)
    const epoch = request.shareSessionEpoch
    const isRenewal = request.isRenewAck
    const acknowledges = request.topics.some(({ partitions }) => {
      return partitions.some(({ acknowledgementBatches: batches }) => batches.length > 0)
    })
    const session = this.sessions.fetch(
      { groupId, memberId, epoch, connection, acknowledges },
      request.topics.flatMap(({ topicId, partitions }) => {
        return partitions.map(({ partitionIndex }) => ({ topicId, partition: partitionIndex }))
      }),
      request.forgottenTopicsData.flatMap(({ topicId, partitions }) => {
        return partitions.map((partition) => ({ topicId, partition }))
      }),
    )
    const lockMs = this.partitions.limitsOf(groupId).lockMs
    if (session.kind === 'refused') {
      const { errorCode } = session
      reply({ errorCode, lockMs: 0, acknowledged: [], plan: NOTHING })
      return
    }
    const said = withBatches(request.topics)
    this.#acknowledgeAll({ groupId, memberId, isRenewal }, said, (acknowledged) => {
      const done = (plan: ShareFetchPlan) => {
        reply({ errorCode: ErrorCode.NONE, lockMs, acknowledged, plan })
      }
      if (session.kind === 'final') {
        this.#end(session.session)
        done(NOTHING)
      } else if (isRenewal || request.maxRecords <= 0) done(NOTHING)
      else this.#wait(session.session, request, done)
    })
  }

  #acknowledge(
    { request }: Command<'share-acknowledge'>,
    reply: Answer<'share-acknowledge'>,
  ): void {
    const { groupId, memberId } = namesOf(request)
    const epoch = request.shareSessionEpoch
    const session = this.sessions.acknowledge({ groupId, memberId, epoch })
    if (session.kind === 'refused') {
      reply({ errorCode: session.errorCode, lockMs: 0, acknowledged: [] })
      return
    }
    const lockMs = this.partitions.limitsOf(groupId).lockMs
    const isRenewal = request.isRenewAck
    this.#acknowledgeAll({ groupId, memberId, isRenewal }, request.topics, (acknowledged) => {
      if (session.kind === 'final') this.#end(session.session)
      reply({ errorCode: ErrorCode.NONE, lockMs, acknowledged })
    })
  }

  /** Calls `done` once, when all that was said is kept or refused. */
  #acknowledgeAll(
    by: { groupId: string; memberId: string; isRenewal: boolean },
    topics: AcknowledgedTopics,
    done: (acknowledged: readonly ShareOutcome[]) => void,
  ): void {
    const outcomes: ShareOutcome[] = []
    let open = 1
    const onOne = () => {
      open--
      if (open === 0) done(outcomes)
    }
    for (const { topicId, partitions } of topics) {
      for (const { partitionIndex: partition, acknowledgementBatches } of partitions) {
        const at = outcomes.length
        const settle = (errorCode: ErrorCode, errorMessage: string | null) => {
          outcomes[at] = { topicId, partition, errorCode, errorMessage }
          onOne()
        }
        outcomes.push({ topicId, partition, errorCode: ErrorCode.NONE, errorMessage: null })
        open++
        this.#acknowledgeOne({ topicId, partition, ...by }, acknowledgementBatches, settle)
      }
    }
    onOne()
  }

  #acknowledgeOne(
    by: ShareKey & { memberId: string; isRenewal: boolean },
    batches: readonly AcknowledgementBatch[],
    settle: (errorCode: ErrorCode, errorMessage: string | null) => void,
  ): void {
    const { groupId, topicId, partition, memberId } = by
    const problem = this.#partitionProblem(by) || batchProblem(batches, by.isRenewal)
    if (problem !== ErrorCode.NONE || batches.length === 0) {
      settle(problem, null)
      return
    }
    const mayRenew = this.#host.groupConfig(groupId)['share.renew.acknowledge.enable']
    if (!mayRenew && batches.some(renews)) {
      settle(ErrorCode.INVALID_RECORD_STATE, RENEWING_DISABLED)
      return
    }
    this.partitions.use({ groupId, topicId, partition }, (errorCode, active) => {
      if (active === undefined) settle(errorCode, null)
      else this.partitions.acknowledge(active, memberId, batches, settle)
    })
  }

  #partitionProblem({ topicId, partition }: SessionPartition): ErrorCode {
    const topic = this.#host.image.topicById(topicId)
    if (topic === undefined) return ErrorCode.UNKNOWN_TOPIC_ID
    const known = topic.partitions[partition] !== undefined
    return known ? ErrorCode.NONE : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  }

  #wait(
    session: ShareSession | undefined,
    { maxWaitMs, minBytes, maxBytes }: SharePatience,
    done: (plan: ShareFetchPlan) => void,
  ): void {
    if (session === undefined || this.#stopped) {
      done(NOTHING)
      return
    }
    const { groupId } = session
    const failed: ShareOutcome[] = []
    const keys: ShareKey[] = []
    for (const { topicId, partition } of rotated(session)) {
      const errorCode = this.#partitionProblem({ topicId, partition })
      if (errorCode === ErrorCode.NONE) keys.push({ groupId, topicId, partition })
      else failed.push({ topicId, partition, errorCode, errorMessage: null })
    }
    const patience = {
      maxWaitMs: failed.length > 0 || keys.length === 0 ? 0 : maxWaitMs,
      minBytes: Math.min(minBytes, maxBytes),
      maxBytes,
    }
    const parts = { host: this.#host, partitions: this.partitions, groupId, keys, patience }
    const wait = new FetchWait(parts, (plan) => {
      this.#waits.delete(wait)
      done(failed.length === 0 ? plan : { ...plan, failed: [...plan.failed, ...failed] })
    })
    this.#waits.add(wait)
    wait.start()
  }

  /** What was read is acquired in the order in which it was read; later reads wait for none. */
  #acquire(command: Command<'share-acquire'>, reply: Answer<'share-acquire'>): void {
    const { groupId, memberId, reads, batchSize, exact } = command
    const acquired: AcquiredRecords[][] = []
    let left = command.maxRecords
    const open = this.sessions.get(groupId, memberId) !== undefined
    for (const read of reads) {
      const { topicId, partition, fetchOffset } = read
      const key = { groupId, topicId, partition }
      const nowMs = this.#host.monotonicMs()
      const batches = batchesOf(read)
      const asked = { memberId, fetchOffset, batches, maxRecords: left, exact, batchSize, nowMs }
      // Without its session nobody would give back what it acquires now.
      const records = open && left > 0 ? this.partitions.acquire(key, asked) : []
      for (const { firstOffset, lastOffset } of records) left -= lastOffset - firstOffset + 1
      acquired.push(records)
    }
    this.#catchUp(groupId, reads, () => reply(acquired))
  }

  /** Where a log did not reach back so far any more, the share partition is told first. */
  #catchUp(groupId: string, reads: readonly ShareRead[], done: () => void): void {
    const behind = reads.filter(({ errorCode }) => errorCode === ErrorCode.OFFSET_OUT_OF_RANGE)
    let open = behind.length + 1
    const onOne = () => {
      open--
      if (open === 0) done()
    }
    for (const { topicId, partition } of behind) {
      this.partitions.use({ groupId, topicId, partition }, (_, active) => {
        if (active === undefined) onOne()
        else this.partitions.catchUp(active, onOne)
      })
    }
    onOne()
  }

  #end(session: ShareSession): void {
    this.sessions.close(session)
    this.partitions.releaseAll(session.groupId, session.memberId)
  }
}

function namesOf({ groupId, memberId }: { groupId: string | null; memberId: string | null }) {
  return { groupId: groupId ?? '', memberId: memberId ?? '' }
}

const RENEWING_DISABLED = 'Renewing acquisition locks is not enabled for the group.'

function renews({ acknowledgeTypes }: AcknowledgementBatch): boolean {
  return acknowledgeTypes.includes(AcknowledgeType.RENEW)
}

/** Partitions of which something is said. */
function withBatches(topics: AcknowledgedTopics): AcknowledgedTopics {
  return topics.map(({ topicId, partitions }) => ({
    topicId,
    partitions: partitions.filter(
      ({ acknowledgementBatches }) => acknowledgementBatches.length > 0,
    ),
  }))
}

/** Whether what is said contradicts itself. As Kafka's validateAcknowledgementBatches. */
function batchProblem(batches: readonly AcknowledgementBatch[], mayRenew: boolean): ErrorCode {
  const typeMax = mayRenew ? AcknowledgeType.RENEW : AcknowledgeType.REJECT
  let previousLast = -1
  for (const { firstOffset, lastOffset, acknowledgeTypes: types } of batches) {
    const good =
      firstOffset <= lastOffset &&
      firstOffset >= previousLast &&
      (types.length === 1 || types.length === lastOffset - firstOffset + 1) &&
      types.every((type) => type >= AcknowledgeType.GAP && type <= typeMax)
    if (!good) return ErrorCode.INVALID_REQUEST
    previousLast = lastOffset
  }
  return ErrorCode.NONE
}

/** Each request begins with another partition, so that one with much does not starve the others. */
function rotated({ partitions, epoch }: ShareSession): SessionPartition[] {
  const all = [...partitions.values()]
  if (all.length === 0) return all
  const from = epoch % all.length
  return [...all.slice(from), ...all.slice(0, from)]
}

function batchesOf({ bounds, aborted }: ShareRead): FetchedBatch[] {
  const batches: FetchedBatch[] = []
  const without = new Set(aborted)
  for (let i = 0; i + 1 < bounds.length; i += 2) {
    batches.push({ first: bounds[i]!, last: bounds[i + 1]!, aborted: without.has(i / 2) })
  }
  return batches
}
