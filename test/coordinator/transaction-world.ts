/**
 * The transaction coordinator over a log in memory, and partitions that take its markers: late, or
 * not at all while they are down. What a partition holds is judged by the real producer states.
 */
import type { CoordinatorRuntime, EncodedRecord } from '../../src/coordinator/runtime.ts'
import type {
  MarkerTarget,
  ProducerAnswer,
  TransactionAnswers,
  TransactionCommand,
} from '../../src/coordinator/transaction/commands.ts'
import { TransactionService } from '../../src/coordinator/transaction/service.ts'
import { ProducerStates } from '../../src/log/producer-state.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import { decodeKey, decodeValue } from '../../src/protocol/records/record.ts'
import { TransactionLog } from '../../src/protocol/records/transaction-log.ts'

const PARTITION = 0
/** Of all transactions here, in milliseconds. */
export const TIMEOUT_MS = 5000

/** What a partition of the topic `t` holds: records by the transaction that they are of. */
export class DataPartition {
  readonly states = new ProducerStates()
  isUp = true
  endOffset = 0
  /** How each record ended; undefined: not yet. */
  readonly records: { producerId: number; of: string; committed: boolean | undefined }[] = []

  append(
    producer: ProducerAnswer,
    sequence: number,
    { of, guard }: { of: string; guard: number },
  ): ErrorCode {
    const { producerId, producerEpoch } = producer
    const claim = {
      producerId,
      producerEpoch,
      baseSequence: sequence,
      recordsCount: 1,
      transactional: true,
    }
    const verified = guard === 0 || this.states.isOngoing(producerId, producerEpoch)
    if (!verified && !this.states.holdsGuard(producerId, guard)) return ErrorCode.INVALID_TXN_STATE
    const verdict = this.states.check(claim, guard === 0)
    if (verdict.kind === 'refuse') return verdict.errorCode
    if (verdict.kind === 'duplicate') return ErrorCode.NONE
    const at = { baseOffset: this.endOffset, lastOffset: this.endOffset, timestamp: 0, nowMs: 0 }
    this.states.appended(claim, at)
    this.endOffset++
    this.records.push({ producerId, of, committed: undefined })
    return ErrorCode.NONE
  }

  mark(marker: MarkerTarget): ErrorCode {
    if (!this.isUp) return ErrorCode.KAFKA_STORAGE_ERROR
    const problem = this.states.checkMarker(marker, marker.transactionVersion >= 2)
    if (problem !== ErrorCode.NONE) return problem
    this.states.marked(marker, this.endOffset++, 0)
    for (const one of this.records) {
      if (one.producerId === marker.producerId) one.committed ??= marker.commit
    }
    return ErrorCode.NONE
  }
}

export class TransactionWorld {
  readonly log: EncodedRecord[] = []
  readonly partitions = [new DataPartition(), new DataPartition(), new DataPartition()]
  /** Markers wait until they are let go. */
  holdsMarkers = false
  nowMs = 1_000_000
  /** How far the wall clock is ahead of the one that nobody sets. */
  wallAheadMs = 0
  /** What the next append to the coordinator's log answers. */
  nextAppend: ErrorCode = ErrorCode.NONE
  #held: (() => void)[] = []
  #nextProducerId = 1000
  #coordinatorEpoch = 0
  service: TransactionService

  constructor() {
    this.service = this.#start()
  }

  get runtime(): CoordinatorRuntime {
    return this.service.runtime
  }

  /** The coordinator is killed; markers that were under way are lost with it. */
  restart(): void {
    this.#held = []
    this.#coordinatorEpoch++
    this.service.runtime.unload(PARTITION)
    this.service = this.#start()
  }

  /** Markers under way arrive. */
  release(): void {
    for (const run of this.#held.splice(0)) run()
  }

  advance(ms: number): void {
    const endMs = this.nowMs + ms
    while (this.nowMs < endMs) {
      this.nowMs = Math.min(endMs, this.nowMs + 50)
      this.service.runtime.advance()
    }
  }

  /** Sends a command; undefined: it is not answered yet. */
  call<C extends Exclude<TransactionCommand, { kind: 'add-offsets-to-txn' }>>(
    command: C,
  ): TransactionAnswers[C['kind']] | undefined {
    let answer: TransactionAnswers[C['kind']] | undefined
    this.service.onCommand(command, (given) => {
      answer = given
    })
    return answer
  }

  initialize(transactionalId: string, producerId = -1, producerEpoch = -1): ProducerAnswer {
    const kind = 'init-transactional-id' as const
    const of = { transactionalId, producerId, producerEpoch }
    return this.call({ kind, ...of, transactionTimeoutMs: TIMEOUT_MS }) as ProducerAnswer
  }

  /** Adds a partition; undefined: it waits. */
  join(
    transactionalId: string,
    { producerId, producerEpoch }: ProducerAnswer,
    partition: number,
    how: { verifyOnly?: boolean; clientVersion?: number; waits?: boolean } = {},
  ): ErrorCode | undefined {
    const answer = this.call({
      kind: 'add-partitions-to-txn',
      transactionalId,
      producerId,
      producerEpoch,
      topics: [{ topic: 't', partitions: [partition] }],
      verifyOnly: how.verifyOnly ?? false,
      clientVersion: how.clientVersion ?? 2,
      waits: how.waits ?? false,
    })
    return answer?.errorCodes[0]
  }

  end(
    transactionalId: string,
    { producerId, producerEpoch }: ProducerAnswer,
    commit: boolean,
    clientVersion = 2,
  ): ProducerAnswer {
    const of = { transactionalId, producerId, producerEpoch }
    return this.call({ kind: 'end-txn', ...of, commit, clientVersion }) as ProducerAnswer
  }

  stateOf(transactionalId: string): string | undefined {
    return this.service.coordinator.get(transactionalId)?.state
  }

  #start(): TransactionService {
    const service = new TransactionService({
      host: {
        append: (_, { records }, done) => {
          const outcome = this.nextAppend
          this.nextAppend = ErrorCode.NONE
          if (outcome === ErrorCode.NONE) this.log.push(...records)
          done(outcome)
        },
        appendMarker: (_, __, done) => done(ErrorCode.NONE),
        reload: () => undefined,
      },
      now: () => ({ wallMs: this.nowMs + this.wallAheadMs, monotonicMs: this.nowMs }),
      config: () =>
        ({
          'add.partitions.to.txn.retry.backoff.max.ms': 100,
          'transaction.abort.timed.out.transaction.cleanup.interval.ms': 1000,
          'transaction.remove.expired.transaction.cleanup.interval.ms': 60_000,
          'transactional.id.expiration.ms': 3_600_000,
        }) as never,
      regexEngine: () => undefined,
      takeProducerId: (done) => done(this.#nextProducerId++),
      coordinatorEpoch: () => this.#coordinatorEpoch,
      writeMarkers: (markers, done) => {
        const write = () => done(markers.map((one) => this.#mark(one)))
        if (this.holdsMarkers) this.#held.push(write)
        else write()
      },
    })
    service.coordinator.partitionCount = 1
    service.runtime.beginLoad(PARTITION)
    for (const record of this.log) service.runtime.replay(PARTITION, decoded(record), -1)
    service.runtime.finishLoad(PARTITION)
    return service
  }

  #mark(marker: MarkerTarget): ErrorCode {
    const partition = this.partitions[marker.partition]
    return partition?.mark(marker) ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  }
}

function decoded({ key, value }: EncodedRecord) {
  return {
    schema: TransactionLog,
    key: decodeKey(TransactionLog, key),
    value: value === null ? null : decodeValue(TransactionLog, value),
    version: 1,
  } as never
}
