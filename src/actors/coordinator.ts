/**
 * The coordinator actor: keeps the state machines of groups on the log, and delivers the records of
 * share groups. It tells the machines the time. Lives on the coordinator's thread, beside the
 * partitions of its topics.
 */
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { ClusterImage, ImageChange } from '../cluster/image.ts'
import { OFFSETS_TOPIC, SHARE_STATE_TOPIC, TRANSACTIONS_TOPIC } from '../cluster/internal-topics.ts'
import type { GroupCommand } from '../coordinator/group/commands.ts'
import { GroupService } from '../coordinator/group/service.ts'
import type { ShareCommand } from '../coordinator/share/commands.ts'
import type { LogWaiter } from '../coordinator/share/host.ts'
import { ShareService } from '../coordinator/share/service.ts'
import { ShareStateService } from '../coordinator/share/state-service.ts'
import type {
  TransactionCommand,
  TransactionCommandOf,
} from '../coordinator/transaction/commands.ts'
import { TransactionService } from '../coordinator/transaction/service.ts'
import type { Codecs } from '../protocol/compression.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { Crc32c } from '../protocol/record-batch.ts'
import { consumerOffsetsRecords } from '../protocol/records/consumer-offsets.ts'
import { shareGroupStateRecords } from '../protocol/records/share-group-state.ts'
import { transactionStateRecords } from '../protocol/records/transaction-state.ts'
import type { BufferPool } from '../ring/arena.ts'
import { CoordinatorTopic } from './coordinator-topic.ts'
import { groupConfigsOf } from './group-configs.ts'
import type { ControllerAnswers, ControllerCommand } from './mailbox/controller.ts'
import type { CoordinatorAnswers, CoordinatorCommand } from './mailbox/coordinator.ts'
import type { ReadOrder } from './mailbox/hot.ts'
import type { PartitionAnswers, PartitionCommand } from './mailbox/partition.ts'
import { markerWriter } from './marker-writer.ts'
import { addOffsets, commitInTransaction } from './offsets-in-transaction.ts'
import type { AppendSink, MarkerOrder, ReadResult } from './partition-requests.ts'
import { ProducerIds } from './producer-ids.ts'
import { RegexLoader } from './regex-loader.ts'
import { shareHostOf } from './share-host.ts'
import { shareStateAccess } from './share-state-access.ts'
import { topicCreator } from './topic-creator.ts'

/** What a coordinator needs of its thread. */
export interface CoordinatorParts {
  readonly image: ClusterImage
  readonly clock: Clock
  readonly pool: BufferPool
  readonly codecs: Codecs
  readonly crc32c: Crc32c
  readonly log: Log
  random(): number
  /** Appends to a partition of this thread, acks=all. */
  append(slot: number, batch: Buffer, sink: AppendSink): void
  /** Ends a transaction in a partition of this thread; as CoordinatorHost.appendMarker. */
  appendMarker(slot: number, marker: MarkerOrder, done: (errorCode: ErrorCode) => void): void
  /** The first offset of a partition of this thread; -1 while it is offline. */
  startOffset(slot: number): number
  /** The offset behind the last one of a partition of this thread; -1 while it is offline. */
  endOffset(slot: number): number
  /** Reads whole batches from a partition of this thread. */
  read(slot: number, fetchOffset: number, maxBytes: number): ReadResult
  /** Measures partitions of any thread; the answer is in the order asked. */
  readPartitions(
    thread: number,
    order: ReadOrder & { measure: true },
    done: (results: readonly Pick<ReadResult, 'errorCode' | 'availableBytes'>[]) => void,
  ): void
  /** Who waits on this thread for partitions to advance. */
  readonly waiters: { add(waiter: LogWaiter): void; remove(waiter: LogWaiter): void }
  /** Sends a rare command to the partitions of any thread; undefined answers one that was lost. */
  callPartitions<C extends PartitionCommand>(
    thread: number,
    command: C,
    answer: (result: PartitionAnswers[C['kind']] | undefined) => void,
  ): void
  callController<C extends ControllerCommand>(
    command: C,
    answer: (result: ControllerAnswers[C['kind']] | undefined) => void,
  ): void
  /** Runs `then` once after at least `delayMs`; the returned function cancels. */
  after(delayMs: number, then: () => void): () => void
  /** Runs `then` when other work of the thread had its turn. */
  soon(then: () => void): void
}

/** The clock is not looked at more often than this: a time that has come may wait as long. */
const TICK_MS_MIN = 20

type Answer<C extends CoordinatorCommand> = (result: CoordinatorAnswers[C['kind']]) => void

export class Coordinator {
  readonly #parts: CoordinatorParts
  readonly #service: GroupService
  readonly #states: ShareStateService
  readonly #shares: ShareService
  readonly #offsetsTopic: CoordinatorTopic
  readonly #stateTopic: CoordinatorTopic
  readonly #transactions: TransactionService
  readonly #transactionsTopic: CoordinatorTopic
  readonly #regexes = new RegexLoader()
  readonly #stopListening: () => void
  #cancelTick: (() => void) | undefined
  #tickAtMs = Infinity
  #stopped = false

  constructor(parts: CoordinatorParts) {
    this.#parts = parts
    const onTurn = () => this.#setTick()
    this.#offsetsTopic = new CoordinatorTopic(
      {
        name: OFFSETS_TOPIC,
        schemas: consumerOffsetsRecords,
        thread: parts,
        onPartitions: (count) => {
          this.#service.coordinator.partitionCount = count
        },
        onLoaded: (sinceMs) => this.#onGroupsLoaded(sinceMs),
        onTurn,
      },
      () => this.#service.runtime,
    )
    this.#stateTopic = new CoordinatorTopic(
      {
        name: SHARE_STATE_TOPIC,
        schemas: shareGroupStateRecords,
        thread: parts,
        onPartitions: (count) => {
          this.#states.states.partitionCount = count
        },
        onLoaded: () => undefined,
        onTurn,
      },
      () => this.#states.runtime,
    )
    this.#transactionsTopic = new CoordinatorTopic(
      {
        name: TRANSACTIONS_TOPIC,
        schemas: transactionStateRecords,
        thread: parts,
        onPartitions: (count) => {
          this.#transactions.coordinator.partitionCount = count
        },
        onLoaded: () => undefined,
        onTurn,
      },
      () => this.#transactions.runtime,
    )
    const now = () => ({ wallMs: parts.clock.wallMs(), monotonicMs: parts.clock.monotonicMs() })
    const producerIds = new ProducerIds((command, answer) => parts.callController(command, answer))
    const writeMarkers = markerWriter(parts, () => this.#service.runtime)
    this.#transactions = new TransactionService({
      host: this.#transactionsTopic.host,
      now,
      config: () => parts.image.brokerConfig,
      regexEngine: () => this.#regexes.engine(),
      takeProducerId: (done) => producerIds.take(done),
      coordinatorEpoch: (partition) => this.#transactionsTopic.leaderEpoch(partition),
      writeMarkers: (markers, done) => {
        writeMarkers(markers, (errorCodes) => {
          done(errorCodes)
          this.#setTick()
        })
      },
    })
    this.#states = new ShareStateService({
      host: this.#stateTopic.host,
      endOffset: (partition) => this.#stateTopic.endOffset(partition),
      trim: (partition, offset) => this.#stateTopic.trim(partition, offset),
      now,
      updatesMax: () =>
        parts.image.brokerConfig['share.coordinator.snapshot.update.records.per.snapshot'],
    })
    this.#shares = new ShareService(shareHostOf(parts, this.#states, this.#stateTopic))
    this.#service = new GroupService({
      image: parts.image,
      random: () => parts.random(),
      regexEngine: () => this.#regexes.engine(),
      groupConfig: groupConfigsOf(parts.image),
      createTopics: topicCreator(parts),
      shareStates: shareStateAccess(this.#stateTopic, this.#states, this.#shares.partitions),
      now,
      host: this.#offsetsTopic.host,
    })
    this.#stopListening = parts.image.onChange((change) => this.#onChange(change))
    this.#offsetsTopic.start()
    this.#stateTopic.start()
    this.#transactionsTopic.start()
  }

  /** Takes a command; `answer` is called once, now or later. */
  onCommand<C extends CoordinatorCommand>(command: C, answer: Answer<C>): void {
    const topic = this.#topicToEnsure(command)
    if (topic !== undefined) {
      topic.ensure((errorCode) => answer({ errorCode } as never))
      return
    }
    if (isTransactionCommand(command)) {
      this.#onTransaction(command, answer as (result: unknown) => void)
      return
    }
    if (isShareCommand(command)) {
      this.#shares.onCommand(command, answer as (result: unknown) => void)
      return
    }
    if (command.kind === 'connection-closed') {
      this.#shares.onDisconnect((connection) => connection === command.connection)
      this.#regexes.afterWaiting(() => {
        this.#service.lost.onClosed(command.connection, command.by)
        this.#setTick()
      })
      answer(null as never)
      return
    }
    const run = () => {
      if (command.kind === 'txn-offset-commit') {
        commitInTransaction(this.#transactions, this.#service, command, answer as never)
      } else this.#service.onCommand(command as GroupCommand, answer as (result: unknown) => void)
      this.#setTick()
    }
    if (bringsRegex(command)) this.#regexes.whenLoaded(run)
    else run()
  }

  /** Another thread died, and its connections with it. */
  onThreadLost(thread: number): void {
    this.#service.lost.onThreadLost(thread)
    this.#shares.onDisconnect((connection) => connection.startsWith(`${thread}:`))
  }

  /** The broker stops: answers what is held, and everything from now on, with NOT_COORDINATOR. */
  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#stopListening()
    this.#cancelTick?.()
    this.#shares.stop()
    this.#shares.partitions.forget(() => true)
    this.#offsetsTopic.stop()
    this.#stateTopic.stop()
    this.#transactionsTopic.stop()
  }

  #topicToEnsure({ kind }: CoordinatorCommand): CoordinatorTopic | undefined {
    switch (kind) {
      case 'ensure-offsets-topic':
        return this.#offsetsTopic
      case 'ensure-share-topic':
        return this.#stateTopic
      case 'ensure-transaction-topic':
        return this.#transactionsTopic
      default:
        return undefined
    }
  }

  #onTransaction(command: TransactionCommand, answer: (result: unknown) => void): void {
    if (command.kind === 'add-offsets-to-txn') {
      // Older clients look for the coordinator of the group only after this.
      this.#offsetsTopic.ensure((errorCode) => {
        if (errorCode !== ErrorCode.NONE) answer({ errorCode })
        else addOffsets(this.#transactions, this.#service, command, answer)
        this.#setTick()
      })
      return
    }
    if (command.kind === 'end-txn') {
      this.#transactions.onCommand(command, (result) => {
        this.#tellRefusedEnd(command, result.errorCode)
        answer(result)
      })
      this.#setTick()
      return
    }
    const run = () => {
      this.#transactions.onCommand(command, answer)
      this.#setTick()
    }
    if (command.kind === 'list-transactions' && command.request.transactionalIdPattern) {
      this.#regexes.whenLoaded(run)
    } else run()
  }

  /** A client that ends what did not begin has lost count: its author wants both sides of it. */
  #tellRefusedEnd(end: TransactionCommandOf<'end-txn'>, errorCode: ErrorCode): void {
    if (errorCode !== ErrorCode.INVALID_TXN_STATE) return
    const { transactionalId, producerId, producerEpoch, commit } = end
    const known = this.#transactions.coordinator.get(transactionalId)
    this.#parts.log.info('the end of a transaction is refused', {
      transactionalId,
      wanted: { producerId, producerEpoch, commit },
      found: known && {
        producerId: known.producerId,
        producerEpoch: known.producerEpoch,
        state: known.state,
      },
    })
  }

  #onChange(change: ImageChange): void {
    if (this.#offsetsTopic.onChange(change) || this.#transactionsTopic.onChange(change)) return
    if (this.#stateTopic.onChange(change)) {
      // What was in flight is not kept anywhere any more.
      if (change.kind === 'partition-deleted') this.#shares.partitions.forget(() => true)
      return
    }
    this.#service.onImageChange(change)
    if (change.kind === 'partition-deleted') {
      const { topic } = change.partition
      this.#shares.partitions.forget(({ topicId }) => topicId === topic.id)
    }
    this.#setTick()
  }

  #onGroupsLoaded(sinceMs: number): void {
    const { groups, offsets } = this.#service.coordinator
    if (groups.size === 0) return
    const tookMs = Math.round(this.#parts.clock.monotonicMs() - sinceMs)
    this.#parts.log.info('groups are loaded', {
      groups: groups.size,
      offsets: offsets.size,
      tookMs,
    })
  }

  /** One timer of the thread, for the first of all times to come. */
  // hot
  #setTick(): void {
    const groups = this.#service.runtime
    const transactions = this.#transactions.runtime
    const nextMs = Math.min(groups.timers.nextMs, transactions.timers.nextMs)
    if (this.#stopped || nextMs >= this.#tickAtMs) return
    const nowMs = this.#parts.clock.monotonicMs()
    const atMs = Math.max(nowMs + TICK_MS_MIN, nextMs)
    // Each command comes by here: none may put off a look that is due sooner.
    if (atMs >= this.#tickAtMs) return
    this.#cancelTick?.()
    this.#tickAtMs = atMs
    this.#cancelTick = this.#parts.after(Math.min(atMs - nowMs, 2 ** 31 - 1), () => {
      this.#tickAtMs = Infinity
      groups.advance()
      transactions.advance()
      this.#setTick()
    })
  }
}

function isTransactionCommand(command: CoordinatorCommand): command is TransactionCommand {
  return transactionKinds.has(command.kind)
}

const transactionKinds: ReadonlySet<string> = new Set([
  'init-transactional-id',
  'add-partitions-to-txn',
  'add-offsets-to-txn',
  'end-txn',
  'write-txn-markers',
  'describe-transactions',
  'list-transactions',
] satisfies TransactionCommand['kind'][])

function isShareCommand(command: CoordinatorCommand): command is ShareCommand {
  return shareKinds.has(command.kind)
}

const shareKinds: ReadonlySet<string> = new Set([
  'share-fetch',
  'share-wait',
  'share-acquire',
  'share-acknowledge',
] satisfies ShareCommand['kind'][])

function bringsRegex(command: CoordinatorCommand): boolean {
  if (command.kind !== 'consumer-group-heartbeat') return false
  const { subscribedTopicRegex } = command.request
  return subscribedTopicRegex !== null && subscribedTopicRegex !== ''
}
