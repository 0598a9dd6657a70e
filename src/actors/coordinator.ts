/**
 * The coordinator actor: keeps the state machines of groups on the log, and delivers the records of
 * share groups. It tells the machines the time. Lives on the coordinator's thread, beside the
 * partitions of its topics.
 */
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { ClusterImage, ImageChange } from '../cluster/image.ts'
import type { GroupCommand } from '../coordinator/group/commands.ts'
import { GroupService } from '../coordinator/group/service.ts'
import type { CoordinatorHost } from '../coordinator/runtime.ts'
import type { ShareCommand } from '../coordinator/share/commands.ts'
import type { LogWaiter } from '../coordinator/share/host.ts'
import { ShareService } from '../coordinator/share/service.ts'
import { ShareStateService } from '../coordinator/share/state-service.ts'
import type { Codecs } from '../protocol/compression.ts'
import type { Crc32c } from '../protocol/record-batch.ts'
import { consumerOffsetsRecords } from '../protocol/records/consumer-offsets.ts'
import { shareGroupStateRecords } from '../protocol/records/share-group-state.ts'
import type { BufferPool } from '../ring/arena.ts'
import { CoordinatorTopic } from './coordinator-topic.ts'
import { groupConfigsOf } from './group-configs.ts'
import type { ControllerAnswers, ControllerCommand } from './mailbox/controller.ts'
import type { CoordinatorAnswers, CoordinatorCommand } from './mailbox/coordinator.ts'
import type { ReadOrder } from './mailbox/hot.ts'
import type { PartitionAnswers, PartitionCommand } from './mailbox/partition.ts'
import type { AppendSink, ReadResult } from './partition-requests.ts'
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

/** The topic that groups are kept in. */
export const OFFSETS_TOPIC = '__consumer_offsets'

/** The topic that share partitions are kept in. */
const SHARE_STATE_TOPIC = '__share_group_state'

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
  readonly #regexes = new RegexLoader()
  readonly #stopListening: () => void
  #cancelTick: (() => void) | undefined
  #tickAtMs = Infinity
  #stopped = false

  constructor(parts: CoordinatorParts) {
    this.#parts = parts
    this.#offsetsTopic = this.#topicOf(OFFSETS_TOPIC)
    this.#stateTopic = this.#topicOf(SHARE_STATE_TOPIC)
    const now = () => ({ wallMs: parts.clock.wallMs(), monotonicMs: parts.clock.monotonicMs() })
    this.#states = new ShareStateService({
      host: hostOf(this.#stateTopic),
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
      host: hostOf(this.#offsetsTopic),
    })
    this.#stopListening = parts.image.onChange((change) => this.#onChange(change))
    this.#offsetsTopic.start()
    this.#stateTopic.start()
  }

  /** Takes a command; `answer` is called once, now or later. */
  onCommand<C extends CoordinatorCommand>(command: C, answer: Answer<C>): void {
    if (command.kind === 'ensure-offsets-topic' || command.kind === 'ensure-share-topic') {
      const groups = command.kind === 'ensure-offsets-topic'
      const topic = groups ? this.#offsetsTopic : this.#stateTopic
      topic.ensure((errorCode) => answer({ errorCode } as never))
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
      this.#service.onCommand(command as GroupCommand, answer as (result: unknown) => void)
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
  }

  #topicOf(name: typeof OFFSETS_TOPIC | typeof SHARE_STATE_TOPIC): CoordinatorTopic {
    const groups = name === OFFSETS_TOPIC
    return new CoordinatorTopic(
      {
        name,
        schemas: groups ? consumerOffsetsRecords : shareGroupStateRecords,
        thread: this.#parts,
        onPartitions: (count) => {
          if (groups) this.#service.coordinator.partitionCount = count
          else this.#states.states.partitionCount = count
        },
        onLoaded: (sinceMs) => {
          if (groups) this.#onGroupsLoaded(sinceMs)
        },
        onTurn: () => this.#setTick(),
      },
      () => (groups ? this.#service.runtime : this.#states.runtime),
    )
  }

  #onChange(change: ImageChange): void {
    if (this.#offsetsTopic.onChange(change)) return
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
  #setTick(): void {
    const { timers } = this.#service.runtime
    const nextMs = timers.nextMs()
    if (this.#stopped || nextMs === undefined || nextMs >= this.#tickAtMs) return
    const nowMs = this.#parts.clock.monotonicMs()
    const atMs = Math.max(nowMs + TICK_MS_MIN, nextMs)
    // Each command comes by here: none may put off a look that is due sooner.
    if (atMs >= this.#tickAtMs) return
    this.#cancelTick?.()
    this.#tickAtMs = atMs
    this.#cancelTick = this.#parts.after(Math.min(atMs - nowMs, 2 ** 31 - 1), () => {
      this.#tickAtMs = Infinity
      this.#service.runtime.advance()
      this.#setTick()
    })
  }
}

function hostOf(topic: CoordinatorTopic): CoordinatorHost {
  return {
    append: (partition, records, nowMs, done) => topic.append(partition, records, nowMs, done),
    reload: (partition) => topic.reload(partition),
  }
}

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
