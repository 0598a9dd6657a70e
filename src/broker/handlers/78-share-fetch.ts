/**
 * ShareFetch 1-2 (KIP-932; v2 exact limits KIP-1206 and renewals KIP-1222).
 * Kept: share sessions, which end with their connection; acknowledgements are taken in first, and
 *   their outcome is told with the records; waits for min bytes up to max wait; what waits for
 *   another delivery comes first. Records are limited softly, by whole batches, or exactly.
 * Differs: a partition that does not exist is answered with an error of its own, where Kafka fails
 *   the whole request. Markers of transactions are left out instead of being delivered.
 */
import type {
  ShareAnswers,
  ShareCommand,
  ShareFetchPlan,
  ShareOutcome,
  ShareTarget,
} from '../../coordinator/share/commands.ts'
import type { AcquiredRecords } from '../../coordinator/share/share-partition.ts'
import { ShareFetch } from '../../protocol/apis/78-share-fetch.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { RequestOf, ResponseInput } from '../../protocol/schema.ts'
import type { Fetched, FetchedPartition } from '../partition-proxy.ts'
import { defineHandler, type Exchange } from './handler.ts'
import { batchesIn, sliced } from './share.ts'

type Request = RequestOf<typeof ShareFetch>
type Response = ResponseInput<typeof ShareFetch>
type PartitionResponse = NonNullable<
  NonNullable<Response['responses']>[number]['partitions']
>[number]

/** Read at once of a partition; a larger batch is read whole. */
const PARTITION_BYTES = 1024 * 1024

const INITIAL_EPOCH = 0
const EXACT = 1

const EMPTY = Buffer.alloc(0)

export const shareFetch = defineHandler(ShareFetch, [1, 2], (request, exchange) => {
  if (contradictsItself(request)) {
    exchange.reply({ errorCode: ErrorCode.INVALID_REQUEST })
    return
  }
  new ShareFetchExchange(request, exchange).start()
})

/** A renewal asks for no records besides. */
function contradictsItself(request: Request): boolean {
  const { maxWaitMs, minBytes, maxBytes, maxRecords, shareAcquireMode } = request
  const asksForRecords = (maxWaitMs | minBytes | maxBytes | maxRecords) !== 0
  return (
    request.groupId === null ||
    request.memberId === null ||
    (shareAcquireMode !== 0 && shareAcquireMode !== EXACT) ||
    (request.isRenewAck && asksForRecords)
  )
}

/** One partition of a plan, read and acquired. */
interface Delivery {
  readonly target: ShareTarget
  result: FetchedPartition | undefined
  acquired: readonly AcquiredRecords[]
}

/** One ShareFetch under way: asks where there are records, reads them, asks which it may have. */
class ShareFetchExchange {
  readonly #request: Request
  readonly #exchange: Exchange<Response>
  readonly #names: { readonly groupId: string; readonly memberId: string }
  readonly #deadlineMs: number
  #session: ShareAnswers['share-fetch'] | undefined
  #deliveries: Delivery[] = []
  #fetched: Fetched[] = []

  constructor(request: Request, exchange: Exchange<Response>) {
    this.#request = request
    this.#exchange = exchange
    this.#names = { groupId: request.groupId ?? '', memberId: request.memberId ?? '' }
    this.#deadlineMs = exchange.context.clock.monotonicMs() + request.maxWaitMs
  }

  start(): void {
    const { session } = this.#exchange
    session.isCoordinated = true
    const request = this.#request
    const command = { kind: 'share-fetch', connection: session.name, request } as const
    this.#ask(command, (answer) => {
      if (answer.errorCode !== ErrorCode.NONE) {
        this.#exchange.reply({ errorCode: answer.errorCode })
        return
      }
      this.#session = answer
      this.#deliver(answer.plan)
    })
  }

  /** A coordinator that is lost has lost its sessions: the client opens another one. */
  #ask<C extends ShareCommand>(command: C, then: (answer: ShareAnswers[C['kind']]) => void): void {
    this.#exchange.context.callCoordinator(command, (answer) => {
      if (answer !== undefined) then(answer as ShareAnswers[C['kind']])
      else {
        this.#release()
        this.#exchange.reply({ errorCode: ErrorCode.SHARE_SESSION_NOT_FOUND })
      }
    })
  }

  #deliver({ targets, failed }: ShareFetchPlan): void {
    this.#deliveries = targets.map((target) => ({ target, result: undefined, acquired: [] }))
    if (targets.length === 0) this.#reply(failed)
    else this.#read(() => this.#acquire(failed))
  }

  #read(done: () => void): void {
    const { partitions, image } = this.#exchange.context
    const byThread = new Map<number, Delivery[]>()
    for (const delivery of this.#deliveries) {
      const others = byThread.get(delivery.target.thread)
      if (others === undefined) byThread.set(delivery.target.thread, [delivery])
      else others.push(delivery)
    }
    const maxBytes = Math.min(this.#request.maxBytes, image.brokerConfig['fetch.max.bytes'])
    const share = Math.floor(maxBytes / this.#deliveries.length)
    let open = byThread.size
    for (const [thread, deliveries] of byThread) {
      const order = {
        readCommitted: deliveries[0]!.target.readCommitted,
        measure: false,
        watch: false,
        maxBytes: Math.max(0, maxBytes),
        partitions: deliveries.map(({ target }) => ({
          slot: target.slot,
          maxBytes: Math.max(0, Math.min(share, PARTITION_BYTES)),
          fetchOffset: target.fetchOffset,
          currentLeaderEpoch: -1,
          lastFetchedEpoch: -1,
        })),
      }
      partitions.read(thread, order, (fetched) => {
        this.#fetched.push(fetched)
        for (const [i, delivery] of deliveries.entries()) {
          delivery.result = fetched.partitions[i]
        }
        open--
        if (open === 0) done()
      })
    }
  }

  #acquire(failed: readonly ShareOutcome[]): void {
    const { maxRecords, batchSize, shareAcquireMode } = this.#request
    const reads = this.#deliveries.map(({ target, result }) => ({
      topicId: target.topicId,
      partition: target.partition,
      fetchOffset: target.fetchOffset,
      errorCode: result!.errorCode,
      ...batchesIn(result?.records ?? EMPTY, result?.aborted ?? []),
    }))
    const command = {
      kind: 'share-acquire',
      ...this.#names,
      maxRecords,
      batchSize,
      exact: shareAcquireMode === EXACT,
      reads,
    } as const
    this.#ask(command, (acquired) => {
      for (const [i, delivery] of this.#deliveries.entries()) delivery.acquired = acquired[i] ?? []
      this.#onAcquired(failed)
    })
  }

  /** Others may have been faster: then it waits for more, as long as it may. */
  #onAcquired(failed: readonly ShareOutcome[]): void {
    const { clock } = this.#exchange.context
    const leftMs = this.#deadlineMs - clock.monotonicMs()
    const errors = this.#deliveries.flatMap(({ target: { topicId, partition }, result }) => {
      const { errorCode } = result!
      const gone = errorCode === ErrorCode.NONE || errorCode === ErrorCode.OFFSET_OUT_OF_RANGE
      return gone ? [] : [{ topicId, partition, errorCode, errorMessage: null }]
    })
    const nothing = this.#deliveries.every(({ acquired }) => acquired.length === 0)
    const known = [...failed, ...errors]
    if (!nothing || known.length > 0 || leftMs <= 0 || this.#exchange.abandoned) {
      this.#reply(known)
      return
    }
    this.#release()
    const { minBytes, maxBytes } = this.#request
    const patience = { maxWaitMs: leftMs, minBytes, maxBytes }
    this.#ask({ kind: 'share-wait', ...this.#names, patience }, (plan) => this.#deliver(plan))
  }

  #reply(failed: readonly ShareOutcome[]): void {
    const { lockMs } = this.#session!
    const responses = this.#responses(failed)
    this.#exchange.reply({ acquisitionLockTimeoutMs: lockMs, responses }, () => this.#release())
  }

  /** Partitions of which there is something to tell; with the first request all that it names. */
  #responses(failed: readonly ShareOutcome[]): NonNullable<Response['responses']> {
    const byTopic = new Map<string, Map<number, PartitionResponse>>()
    const told = (topicId: string, partitionIndex: number): PartitionResponse => {
      const partitions = byTopic.get(topicId) ?? new Map<number, PartitionResponse>()
      byTopic.set(topicId, partitions)
      const known = partitions.get(partitionIndex)
      const response = known ?? { partitionIndex, records: EMPTY, acquiredRecords: [] }
      partitions.set(partitionIndex, response)
      return response
    }
    if (this.#request.shareSessionEpoch === INITIAL_EPOCH) {
      for (const { topicId, partitions } of this.#request.topics) {
        for (const { partitionIndex } of partitions) told(topicId, partitionIndex)
      }
    }
    for (const { topicId, partition, errorCode, errorMessage } of this.#session!.acknowledged) {
      const response = told(topicId, partition)
      response.acknowledgeErrorCode = errorCode
      response.acknowledgeErrorMessage = errorMessage
    }
    for (const { topicId, partition, errorCode } of failed) {
      told(topicId, partition).errorCode = errorCode
    }
    for (const { target, result, acquired } of this.#deliveries) {
      if (acquired.length === 0) continue
      const response = told(target.topicId, target.partition)
      response.records = sliced(result!.records!, acquired)
      response.acquiredRecords = [...acquired]
    }
    return [...byTopic].map(([topicId, partitions]) => ({
      topicId,
      partitions: [...partitions.values()],
    }))
  }

  #release(): void {
    for (const fetched of this.#fetched.splice(0)) fetched.release()
  }
}
