/**
 * A topic that a coordinator keeps its state in: made on first use, replayed partition by
 * partition, appended to. Lives on the coordinator's thread, beside the partitions of the topic.
 */
import type { ImageChange, TopicImage } from '../cluster/image.ts'
import { newTopicOnFirstUse } from '../cluster/internal-topics.ts'
import type { CoordinatorHost, CoordinatorRuntime } from '../coordinator/runtime.ts'
import type { CodecError } from '../protocol/compression.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { InvalidRecord } from '../protocol/record-batch.ts'
import type { RecordSchema } from '../protocol/records/record.ts'
import type { CoordinatorParts } from './coordinator.ts'
import { batchOf, replayBatches } from './coordinator-log.ts'

/** Read at once while loading; then other work of the thread has its turn. */
const LOAD_BYTES = 1024 * 1024
/** A partition that could not be read is tried again after this. */
const RELOAD_MS = 1000

/** Whose state it is. */
export interface CoordinatorTopicParts {
  readonly name: string
  readonly schemas: ReadonlyMap<number, RecordSchema>
  readonly thread: CoordinatorParts
  /** The topic's number of partitions has become known; 0: it is gone. */
  onPartitions(count: number): void
  /** All that waited to be loaded is loaded, since `sinceMs` (monotonic). */
  onLoaded(sinceMs: number): void
  /** Times may have been set. */
  onTurn(): void
}

export class CoordinatorTopic {
  readonly #topic: CoordinatorTopicParts
  readonly #parts: CoordinatorParts
  readonly #runtime: () => CoordinatorRuntime
  readonly #loading: { index: number; offset: number }[] = []
  /** When the first of `#loading` began to be loaded, monotonic; undefined: nothing is loaded. */
  #loadingSinceMs: number | undefined
  /** By partition index; as long as the topic lives. */
  #slots: readonly number[] = []
  #topicId: string | undefined
  #creating: ((errorCode: ErrorCode) => void)[] = []
  /** Who waits until all is loaded; bounded by the connections. */
  #whenLoaded: (() => void)[] = []
  #stopped = false
  /** More is loaded when other work had its turn. */
  #scheduled = false

  /** `runtime`: asked for when something is loaded or appended. */
  constructor(topic: CoordinatorTopicParts, runtime: () => CoordinatorRuntime) {
    this.#topic = topic
    this.#parts = topic.thread
    this.#runtime = runtime
  }

  /** Begins to replay the topic, if there is one. */
  start(): void {
    const topic = this.#parts.image.topic(this.#topic.name)
    if (topic === undefined) return
    this.#takeTopic(topic)
    for (let index = 0; index < this.#slots.length; index++) this.#load(index, 0)
    this.#parts.soon(() => this.#loadSome())
  }

  /** Nothing is loaded any more, and what is held is answered with NOT_COORDINATOR. */
  stop(): void {
    this.#stopped = true
    this.#loading.length = 0
    for (let index = 0; index < this.#slots.length; index++) this.#runtime().unload(index)
    for (const then of this.#whenLoaded.splice(0)) then()
  }

  /** Makes sure that the topic exists. */
  ensure(done: (errorCode: ErrorCode) => void): void {
    const { image, callController, log } = this.#parts
    const { name } = this.#topic
    if (image.topic(name) !== undefined) {
      done(ErrorCode.NONE)
      return
    }
    this.#creating.push(done)
    if (this.#creating.length > 1) return
    const topics = [newTopicOnFirstUse(name, image.brokerConfig)]
    callController({ kind: 'create-topics', topics, validateOnly: false }, (result) => {
      const created = result?.[0]
      const there = image.topic(name) !== undefined
      if (!there) {
        log.error(`${name} cannot be created`, {
          error: created?.errorMessage ?? 'the controller was lost',
        })
      }
      const errorCode = there ? ErrorCode.NONE : ErrorCode.COORDINATOR_NOT_AVAILABLE
      const waiting = this.#creating
      this.#creating = []
      for (const one of waiting) one(errorCode)
    })
  }

  /** Makes sure that the topic exists, and waits until it is loaded. */
  ready(done: (errorCode: ErrorCode) => void): void {
    this.ensure((errorCode) => {
      if (errorCode !== ErrorCode.NONE || this.#loading.length === 0) done(errorCode)
      else this.#whenLoaded.push(() => done(ErrorCode.NONE))
    })
  }

  /** Whether the change is of this topic, and was taken in. */
  onChange(change: ImageChange): boolean {
    if (change.kind !== 'partition-created' && change.kind !== 'partition-deleted') return false
    const { topic, index } = change.partition
    if (topic.name !== this.#topic.name) return false
    if (change.kind === 'partition-deleted') this.#loseTopic()
    else this.#onPartition(topic, index)
    return true
  }

  /** What the runtime writes with; see CoordinatorHost. */
  readonly host: CoordinatorHost = {
    append: (index, { records, nowMs, producer }, done) => {
      const slot = this.#slots[index]
      if (slot === undefined) {
        done(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
        return
      }
      const batch = batchOf(records, nowMs, producer, this.#parts.crc32c)
      this.#parts.append(slot, batch, { onAppended: (_tag, { errorCode }) => done(errorCode) })
    },
    appendMarker: (index, marker, done) => {
      const slot = this.#slots[index]
      if (slot === undefined) done(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
      else this.#parts.appendMarker(slot, marker, done)
    },
    reload: (index) => this.#load(index, RELOAD_MS),
  }

  /** The leader epoch of a partition; -1: there is no such partition. */
  leaderEpoch(index: number): number {
    return this.#parts.image.topic(this.#topic.name)?.partitions[index]?.leaderEpoch ?? -1
  }

  /** The offset of the next record of a partition; -1: it cannot be read now. */
  endOffset(index: number): number {
    const slot = this.#slots[index]
    return slot === undefined ? -1 : this.#parts.endOffset(slot)
  }

  /** Deletes what is below an offset; what cannot be deleted now is deleted with the next trim. */
  trim(index: number, offset: number): void {
    const { thread, slot } = this.#parts.image.topic(this.#topic.name)?.partitions[index] ?? {}
    if (thread === undefined || slot === undefined) return
    const command = { kind: 'delete-records' as const, partitions: [{ slot, offset }] }
    this.#parts.callPartitions(thread, command, () => undefined)
  }

  /** Where something is kept follows from the number of partitions: later ones are not used. */
  #takeTopic(topic: TopicImage): void {
    this.#topicId = topic.id
    this.#slots = topic.partitions.map(({ slot }) => slot)
    this.#topic.onPartitions(this.#slots.length)
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
    for (let index = 0; index < this.#slots.length; index++) this.#runtime().unload(index)
    this.#slots = []
    this.#topic.onPartitions(0)
    for (const then of this.#whenLoaded.splice(0)) then()
  }

  #load(index: number, delayMs: number): void {
    this.#runtime().beginLoad(index)
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
    this.#topic.onTurn()
  }

  #onAllLoaded(): void {
    const sinceMs = this.#loadingSinceMs
    if (sinceMs === undefined) return
    this.#loadingSinceMs = undefined
    this.#topic.onLoaded(sinceMs)
    for (const then of this.#whenLoaded.splice(0)) then()
  }

  /** Replays the next batches of one partition; answers their bytes, 0 when it is done with. */
  #loadStep(load: { index: number; offset: number }): number {
    const { index } = load
    const slot = this.#slots[index] as number
    const { read: readLog, pool, log } = this.#parts
    const name = `${this.#topic.name}-${index}`
    if (load.offset < 0) load.offset = this.#parts.startOffset(slot)
    const result = load.offset < 0 ? undefined : readLog(slot, load.offset, LOAD_BYTES)
    if (result?.errorCode === ErrorCode.CORRUPT_MESSAGE) {
      log.error(`${name}: offset ${load.offset} cannot be read and is left out`)
      load.offset++
      return 1
    }
    if (result === undefined || result.errorCode !== ErrorCode.NONE) {
      this.#load(index, RELOAD_MS)
      return 0
    }
    const { read } = result
    if (read?.buffer === undefined) {
      this.#runtime().finishLoad(index)
      return 0
    }
    try {
      load.offset = this.#replay(index, read.buffer.bytes, read.from, read.to)
    } catch (error) {
      if (!(error instanceof InvalidRecord) && (error as CodecError).name !== 'CodecError') {
        throw error
      }
      log.error(`${name}: ${(error as Error).message}`)
      load.offset = Math.max(read.nextOffset, load.offset + 1)
    } finally {
      pool.release(read.buffer)
    }
    return read.to - read.from
  }

  #replay(index: number, bytes: Buffer, from: number, to: number): number {
    const runtime = this.#runtime()
    const reader = {
      codecs: this.#parts.codecs,
      decompressedBytesMax: this.#parts.image.brokerConfig['odradek.decompressed.batch.bytes.max'],
      schemas: this.#topic.schemas,
    }
    return replayBatches(reader, bytes, from, to, {
      onRecord: (record, producerId) => runtime.replay(index, record, producerId),
      onMarker: (producerId, commit) => runtime.endTransaction(index, producerId, commit),
      onStrange: (offset, why) => {
        this.#parts.log.warn(`${this.#topic.name}-${index}: offset ${offset} is left out: ${why}`)
      },
    })
  }
}
