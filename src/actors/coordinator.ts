/**
 * The coordinator actor: keeps the state machines of groups on the log. It makes their topic on
 * first use, replays its partitions, appends what the machines say, and tells them the time. Lives
 * on the coordinator's thread, beside the partitions of its topic.
 */
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { ClusterImage, ImageChange, TopicImage } from '../cluster/image.ts'
import { newTopicOnFirstUse } from '../cluster/internal-topics.ts'
import { effectiveGroup, groupDefaults } from '../config/effective.ts'
import type { GroupConfig } from '../config/group.ts'
import type { GroupCommand } from '../coordinator/group/commands.ts'
import { GroupService } from '../coordinator/group/service.ts'
import type { EncodedRecord } from '../coordinator/runtime.ts'
import type { CodecError, Codecs } from '../protocol/compression.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { type Crc32c, InvalidRecord } from '../protocol/record-batch.ts'
import { consumerOffsetsRecords } from '../protocol/records/consumer-offsets.ts'
import type { BufferPool } from '../ring/arena.ts'
import { batchOf, replayBatches } from './coordinator-log.ts'
import type { ControllerAnswers, ControllerCommand } from './mailbox/controller.ts'
import type { CoordinatorAnswers, CoordinatorCommand } from './mailbox/coordinator.ts'
import type { AppendSink, ReadResult } from './partition-requests.ts'
import { RegexLoader } from './regex-loader.ts'

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
  /** Reads whole batches from a partition of this thread. */
  read(slot: number, fetchOffset: number, maxBytes: number): ReadResult
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

/** Read at once while loading; then other work of the thread has its turn. */
const LOAD_BYTES = 1024 * 1024
/** A partition that could not be read is tried again after this. */
const RELOAD_MS = 1000
/** The clock is not looked at more often than this: a time that has come may wait as long. */
const TICK_MS_MIN = 20

type Answer<C extends CoordinatorCommand> = (result: CoordinatorAnswers[C['kind']]) => void

export class Coordinator {
  readonly #parts: CoordinatorParts
  readonly #service: GroupService
  readonly #regexes = new RegexLoader()
  readonly #stopListening: () => void
  readonly #loading: { index: number; offset: number }[] = []
  /** When the first of `#loading` began to be loaded, monotonic; undefined: nothing is loaded. */
  #loadingSinceMs: number | undefined
  /** Of `__consumer_offsets`, by index; as long as the topic lives. */
  #slots: readonly number[] = []
  #topicId: string | undefined
  #creating: ((errorCode: ErrorCode) => void)[] = []
  #cancelTick: (() => void) | undefined
  #tickAtMs = Infinity
  #stopped = false
  /** More is loaded when other work had its turn. */
  #scheduled = false

  constructor(parts: CoordinatorParts) {
    this.#parts = parts
    this.#service = new GroupService({
      image: parts.image,
      random: () => parts.random(),
      regexEngine: () => this.#regexes.engine(),
      groupConfig: groupConfigsOf(parts.image),
      now: () => ({ wallMs: parts.clock.wallMs(), monotonicMs: parts.clock.monotonicMs() }),
      host: {
        append: (partition, records, nowMs, done) => this.#append(partition, records, nowMs, done),
        reload: (partition) => this.#load(partition, RELOAD_MS),
      },
    })
    this.#stopListening = parts.image.onChange((change) => this.#onChange(change))
    const topic = parts.image.topic(OFFSETS_TOPIC)
    if (topic === undefined) return
    this.#takeTopic(topic)
    for (let index = 0; index < this.#slots.length; index++) this.#load(index, 0)
    parts.soon(() => this.#loadSome())
  }

  /** Takes a command; `answer` is called once, now or later. */
  onCommand<C extends CoordinatorCommand>(command: C, answer: Answer<C>): void {
    if (command.kind === 'ensure-offsets-topic') {
      this.#ensureTopic((errorCode) => answer({ errorCode } as never))
      return
    }
    if (command.kind === 'connection-closed') {
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
  }

  /** The broker stops: answers what is held, and everything from now on, with NOT_COORDINATOR. */
  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#stopListening()
    this.#cancelTick?.()
    this.#loading.length = 0
    for (let partition = 0; partition < this.#slots.length; partition++) {
      this.#service.runtime.unload(partition)
    }
  }

  #ensureTopic(done: (errorCode: ErrorCode) => void): void {
    const { image, callController } = this.#parts
    if (image.topic(OFFSETS_TOPIC) !== undefined) {
      done(ErrorCode.NONE)
      return
    }
    this.#creating.push(done)
    if (this.#creating.length > 1) return
    const topics = [newTopicOnFirstUse(OFFSETS_TOPIC, image.brokerConfig)]
    callController({ kind: 'create-topics', topics, validateOnly: false }, (result) => {
      const created = result?.[0]
      const there = image.topic(OFFSETS_TOPIC) !== undefined
      if (!there) {
        this.#parts.log.error(`${OFFSETS_TOPIC} cannot be created`, {
          error: created?.errorMessage ?? 'the controller was lost',
        })
      }
      const errorCode = there ? ErrorCode.NONE : ErrorCode.COORDINATOR_NOT_AVAILABLE
      const waiting = this.#creating
      this.#creating = []
      for (const one of waiting) one(errorCode)
    })
  }

  #onChange(change: ImageChange): void {
    if (change.kind === 'partition-created' || change.kind === 'partition-deleted') {
      const { topic, index } = change.partition
      if (topic.name === OFFSETS_TOPIC) {
        if (change.kind === 'partition-deleted') this.#loseTopic()
        else this.#onPartition(topic, index)
        return
      }
    }
    this.#service.onImageChange(change)
    this.#setTick()
  }

  /** Where a group is kept follows from the number of partitions: later ones are not used. */
  #takeTopic(topic: TopicImage): void {
    this.#topicId = topic.id
    this.#slots = topic.partitions.map(({ slot }) => slot)
    this.#service.coordinator.partitionCount = this.#slots.length
  }

  /** A partition of a topic that was just made: it is loaded at once, being empty. */
  #onPartition(topic: TopicImage, index: number): void {
    if (topic.id !== this.#topicId) this.#takeTopic(topic)
    if (index >= this.#slots.length) return
    this.#load(index, 0)
    this.#loadSome()
  }

  #loseTopic(): void {
    if (this.#topicId === undefined) return
    this.#topicId = undefined
    this.#loading.length = 0
    for (let index = 0; index < this.#slots.length; index++) this.#service.runtime.unload(index)
    this.#slots = []
    this.#service.coordinator.partitionCount = 0
  }

  #load(index: number, delayMs: number): void {
    this.#service.runtime.beginLoad(index)
    const begin = () => {
      if (this.#stopped || this.#slots[index] === undefined) return
      this.#loadingSinceMs ??= this.#parts.clock.monotonicMs()
      this.#loading.push({ index, offset: -1 })
    }
    if (delayMs === 0) {
      begin()
      return
    }
    this.#parts.after(delayMs, () => {
      begin()
      this.#loadSome()
    })
  }

  /** Replays up to LOAD_BYTES of what waits to be loaded; the rest later. */
  #loadSome(): void {
    let budget = LOAD_BYTES
    while (budget > 0) {
      const first = this.#loading[0]
      if (first === undefined) break
      const taken = this.#loadStep(first)
      budget -= taken
      if (taken === 0) this.#loading.shift()
    }
    if (this.#loading.length === 0) this.#onAllLoaded()
    else if (!this.#scheduled) {
      this.#scheduled = true
      this.#parts.soon(() => {
        this.#scheduled = false
        this.#loadSome()
      })
    }
    this.#setTick()
  }

  #onAllLoaded(): void {
    const sinceMs = this.#loadingSinceMs
    if (sinceMs === undefined) return
    this.#loadingSinceMs = undefined
    const { groups, offsets } = this.#service.coordinator
    if (groups.size === 0) return
    const tookMs = Math.round(this.#parts.clock.monotonicMs() - sinceMs)
    this.#parts.log.info('groups are loaded', {
      groups: groups.size,
      offsets: offsets.size,
      tookMs,
    })
  }

  /** Replays the next batches of one partition; answers their bytes, 0 when it is done with. */
  #loadStep(load: { index: number; offset: number }): number {
    const { index } = load
    const slot = this.#slots[index] as number
    const { read: readLog, pool, log } = this.#parts
    if (load.offset < 0) load.offset = this.#parts.startOffset(slot)
    const result = load.offset < 0 ? undefined : readLog(slot, load.offset, LOAD_BYTES)
    if (result?.errorCode === ErrorCode.CORRUPT_MESSAGE) {
      log.error(`${OFFSETS_TOPIC}-${index}: offset ${load.offset} cannot be read and is left out`)
      load.offset++
      return 1
    }
    if (result === undefined || result.errorCode !== ErrorCode.NONE) {
      this.#load(index, RELOAD_MS)
      return 0
    }
    const { read } = result
    if (read?.buffer === undefined) {
      this.#service.runtime.finishLoad(index)
      return 0
    }
    try {
      load.offset = this.#replay(index, read.buffer.bytes, read.from, read.to)
    } catch (error) {
      if (!(error instanceof InvalidRecord) && (error as CodecError).name !== 'CodecError') {
        throw error
      }
      log.error(`${OFFSETS_TOPIC}-${index}: ${(error as Error).message}`)
      load.offset = Math.max(read.nextOffset, load.offset + 1)
    } finally {
      pool.release(read.buffer)
    }
    return read.to - read.from
  }

  #replay(index: number, bytes: Buffer, from: number, to: number): number {
    const { runtime } = this.#service
    const reader = {
      codecs: this.#parts.codecs,
      decompressedBytesMax: this.#parts.image.brokerConfig['odradek.decompressed.batch.bytes.max'],
      schemas: consumerOffsetsRecords,
    }
    return replayBatches(reader, bytes, from, to, {
      onRecord: (record, producerId) => runtime.replay(index, record, producerId),
      onMarker: (producerId, commit) => runtime.endTransaction(index, producerId, commit),
      onStrange: (offset, why) => {
        this.#parts.log.warn(`${OFFSETS_TOPIC}-${index}: offset ${offset} is left out: ${why}`)
      },
    })
  }

  #append(
    partition: number,
    records: readonly EncodedRecord[],
    nowMs: number,
    done: (errorCode: ErrorCode) => void,
  ): void {
    const slot = this.#slots[partition]
    if (slot === undefined) {
      done(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
      return
    }
    const batch = batchOf(records, nowMs, this.#parts.crc32c)
    this.#parts.append(slot, batch, { onAppended: (_tag, { errorCode }) => done(errorCode) })
  }

  /** One timer of the thread, for the first of all times to come. */
  #setTick(): void {
    const { timers } = this.#service.runtime
    const nextMs = timers.nextMs()
    if (this.#stopped || nextMs === undefined || nextMs >= this.#tickAtMs) return
    this.#cancelTick?.()
    const nowMs = this.#parts.clock.monotonicMs()
    const delayMs = Math.max(TICK_MS_MIN, nextMs - nowMs)
    this.#tickAtMs = nowMs + delayMs
    this.#cancelTick = this.#parts.after(Math.min(delayMs, 2 ** 31 - 1), () => {
      this.#tickAtMs = Infinity
      this.#service.runtime.advance()
      this.#setTick()
    })
  }
}

function bringsRegex(command: CoordinatorCommand): boolean {
  if (command.kind !== 'consumer-group-heartbeat') return false
  const { subscribedTopicRegex } = command.request
  return subscribedTopicRegex !== null && subscribedTopicRegex !== ''
}

/** Effective group configurations; those without own settings share one object. */
function groupConfigsOf(image: ClusterImage): (groupId: string) => GroupConfig {
  let broker = image.brokerConfig
  let defaults = groupDefaults(broker)
  return (groupId) => {
    if (broker !== image.brokerConfig) {
      broker = image.brokerConfig
      defaults = groupDefaults(broker)
    }
    const own = image.groupConfigs.get(groupId)
    return own === undefined ? defaults : effectiveGroup(own, defaults)
  }
}
