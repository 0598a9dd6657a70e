/**
 * One thread of the broker: image, partitions, proxies, dispatcher and, where it has them, listener
 * and controller. The same code on a worker, on the only worker, or on the caller's own thread.
 */
import { crc32c } from '@node-rs/crc32'
import { Controller } from '../actors/controller.ts'
import { Coordinator } from '../actors/coordinator.ts'
import type {
  ControllerAnswers,
  ControllerCommand,
  MetadataUpdate,
} from '../actors/mailbox/controller.ts'
import type { CoordinatorAnswer, CoordinatorRequest } from '../actors/mailbox/coordinator.ts'
import { MessageType } from '../actors/mailbox/hot.ts'
import { pack, unpack } from '../actors/mailbox/message-pack.ts'
import type { PartitionCommand } from '../actors/mailbox/partition.ts'
import type { RunTask } from '../actors/mailbox/task.ts'
import { FROM_COORDINATOR } from '../actors/partition-requests.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { MetadataDelta } from '../cluster/delta.ts'
import { ClusterImage } from '../cluster/image.ts'
import { OFFSETS_TOPIC, TRANSACTIONS_TOPIC } from '../cluster/internal-topics.ts'
import type { Placement } from '../cluster/placement.ts'
import { createCodecs } from '../codecs/codecs.ts'
import type { BrokerConfig } from '../config/broker.ts'
import { nodeId } from '../config/effective.ts'
import type { ErrorCode } from '../protocol/errors.ts'
import { BufferPool } from '../ring/arena.ts'
import { ThreadBus, type ThreadWiring } from '../ring/bus.ts'
import { CounterWriter } from '../ring/counters.ts'
import type { Metadata } from '../storage/metadata.ts'
import type { Storage } from '../storage/storage.ts'
import type { BrokerContext } from './context.ts'
import { CoordinatorLink } from './coordinator-link.ts'
import { Dispatcher } from './dispatch.ts'
import { FetchSessionCache } from './fetch-session.ts'
import { handlers } from './handlers/index.ts'
import { keepingOf } from './keeping.ts'
import { PartitionProxy } from './partition-proxy.ts'
import { PartitionService } from './partition-service.ts'
import { PartitionTable } from './partition-table.ts'
import { Purgatory } from './purgatory.ts'
import { SharedGarbage } from './shared-garbage.ts'
import { ACCESSES, COUNTER_NAMES } from './thread-counters.ts'

/** What a thread is told when it is made; crosses as workerData. */
export interface ThreadOptions {
  readonly thread: number
  readonly placement: Placement
  readonly threadCount: number
  /** Absolute; empty where nothing is kept. */
  readonly dataDir: string
  /** Nothing is written to files. */
  readonly inMemory: boolean
  /** False: the data directory goes with the broker, and nothing needs to survive the machine. */
  readonly durable: boolean
  readonly config: BrokerConfig
  readonly trustCheckpoint: boolean
  /** Made by `allocateCounters` for COUNTER_NAMES and all threads. */
  readonly counters: SharedArrayBuffer
  /** The broker is running already: this thread died and comes back. */
  readonly restarted: boolean
  /** Absent on a broker of one thread. */
  readonly wiring: ThreadWiring | undefined
}

/** Metadata as it was when a thread asked: its image begins with it. */
interface Snapshot {
  clusterId: string
  startCount: number
  deltas: readonly MetadataDelta[]
}

type Command =
  | PartitionCommand
  | ControllerCommand
  | CoordinatorRequest
  | CoordinatorAnswer
  | MetadataUpdate
  | { kind: 'metadata-snapshot' }

const PARTITION_COMMANDS: ReadonlySet<string> = new Set([
  'list-offsets',
  'epoch-ends',
  'delete-records',
  'describe-producers',
  'log-sizes',
  'write-markers',
] satisfies string[])

const systemClock: Clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() }

/** Buffers that wait for use; those that nobody needs go with the next ticks. */
const IDLE_BYTES_MAX = 128 * 1024 * 1024
/** How often unneeded memory is looked for. */
const MEMORY_TICK_MS = 1000

const NO_PAYLOAD = Buffer.alloc(0)

export class BrokerThread {
  readonly options: ThreadOptions
  readonly log: Log
  readonly pool: BufferPool
  readonly clock = systemClock
  readonly bus: ThreadBus | undefined
  readonly counters: CounterWriter
  readonly #runTask: RunTask
  #dispatcher: Dispatcher | undefined
  #image: ClusterImage | undefined
  #table: PartitionTable | undefined
  #store: Metadata | undefined
  #storage: Storage | undefined
  #controller: Controller | undefined
  #coordinator: Coordinator | undefined
  readonly #coordinatorLink: CoordinatorLink
  readonly #purgatory = new Purgatory()
  /** Serves the partitions of this thread to the others; absent on a broker of one thread. */
  #service: PartitionService | undefined
  readonly #wakes: number[] = []
  #wakeScheduled = false
  #memoryTick: NodeJS.Timeout | undefined
  /** Asked for before this thread had an image. */
  readonly #early: (() => void)[] = []

  /** `runTask`: gives work to the pool of task threads. */
  constructor(options: ThreadOptions, log: Log, runTask: RunTask) {
    this.options = options
    this.log = log
    this.#runTask = runTask
    this.counters = new CounterWriter(options.counters, COUNTER_NAMES, options.thread)
    this.pool = new BufferPool({
      shared: options.threadCount > 1,
      idleBytesMax: IDLE_BYTES_MAX,
    })
    this.#coordinatorLink = new CoordinatorLink({
      thread: options.thread,
      coordinatorThread: options.placement.coordinatorThread,
      coordinator: () => this.#coordinatorHere(),
      call: (thread, message, answer) => this.#call(thread, message, answer),
    })
    if (options.wiring !== undefined) {
      this.bus = new ThreadBus(options.wiring, this.pool, this, { keepAlive: true })
    }
  }

  get #isCoordinator(): boolean {
    return this.options.thread === this.options.placement.coordinatorThread
  }

  get dispatcher(): Dispatcher {
    return this.#dispatcher as Dispatcher
  }

  get image(): ClusterImage {
    return this.#image as ClusterImage
  }

  /** Loads metadata, opens the partitions of this thread. Throws StorageError. */
  async start(): Promise<void> {
    const keeping = await keepingOf(this.options, this.log)
    if (this.#isCoordinator) this.#store = keeping.metadata()
    const snapshot = this.#store?.load() ?? (await this.#askSnapshot())
    const { config, placement, thread, trustCheckpoint } = this.options
    const { clusterId, startCount, deltas } = snapshot
    const image = new ClusterImage({
      clusterId,
      nodeId: nodeId(config),
      startCount,
      placement,
      config,
    })
    for (const delta of deltas) image.apply(delta)
    this.#image = image
    const storage = keeping.storage()
    this.#storage = storage
    this.#table = new PartitionTable({
      thread,
      image,
      storage,
      clock: this.clock,
      pool: this.pool,
      codecs: createCodecs(),
      crc32c: (bytes) => crc32c(bytes),
      random: Math.random,
      log: this.log,
      trustCheckpoint: trustCheckpoint || this.options.restarted,
      durable: this.options.durable,
      threadCount: this.options.threadCount,
      runTask: (task) => keeping.runTask?.(task) ?? this.#runTask(task),
      onAccess: () => this.counters.add(ACCESSES, 1),
      wake: (asker, slot) => this.#wake(asker, slot),
      after,
    })
    if (this.bus !== undefined) {
      this.#service = new PartitionService(this.bus, this.#table, this.pool)
    }
    this.#table.openAll()
    const garbage = new SharedGarbage(this.pool, this.bus)
    this.#memoryTick = setInterval(() => garbage.onTick(), MEMORY_TICK_MS).unref()
    this.#dispatcher = new Dispatcher(this.#context(), handlers, this.pool, this.log)
    for (const run of this.#early.splice(0)) run()
    // Without its topics the coordinator has nothing to do before somebody asks.
    const hasTopics = [OFFSETS_TOPIC, TRANSACTIONS_TOPIC].some((name) => image.topic(name))
    if (this.#isCoordinator && hasTopics) this.#coordinatorHere()
  }

  /** The broker is about to stop: nobody waits for others any more. */
  beginStop(): void {
    this.#coordinator?.stop()
  }

  /** Back to an empty broker (on the coordinator's thread); answers a sentence when that failed. */
  reset(): Promise<string | null> {
    return new Promise((resolve) => {
      this.#controllerHere().onCommand({ kind: 'reset' }, (outcome) => {
        const [first] = outcome ?? []
        resolve(first?.errorCode === 0 ? null : (first?.errorMessage ?? 'the controller is busy'))
      })
    })
  }

  /** Writes and closes everything. Nothing may be under way. */
  async stop(): Promise<void> {
    this.beginStop()
    clearInterval(this.#memoryTick)
    await this.#table?.close()
    await this.#storage?.close()
    await this.#store?.close()
    this.bus?.close()
  }

  /** Another worker died: what waited for it fails, what it had borrowed comes back. */
  peerLost(peer: number): void {
    this.bus?.peerLost(peer)
    this.#coordinatorLink.peerLost(peer)
    this.#service?.peerLost(peer)
    this.#coordinator?.onThreadLost(peer)
  }

  onRequest(
    from: number,
    type: number,
    actor: number,
    correlation: number,
    bytes: Buffer,
    at: number,
    length: number,
  ): void {
    if (this.#table === undefined && type !== MessageType.call) {
      // Not open yet: the bytes do not outlive this call, but the asker waits for the answer.
      const copy = Buffer.from(bytes.subarray(at, at + length))
      this.#early.push(() => this.onRequest(from, type, actor, correlation, copy, 0, length))
      return
    }
    switch (type) {
      case MessageType.append:
        this.#service?.onAppend(from, correlation, bytes, at)
        return
      case MessageType.read:
        this.#service?.onRead(from, correlation, bytes, at)
        return
      default:
        this.#onCall(from, correlation, unpack(bytes.subarray(at, at + length)) as Command)
    }
  }

  onNotice(
    _from: number,
    type: number,
    actor: number,
    bytes: Buffer,
    at: number,
    length: number,
  ): void {
    if (type === MessageType.wake) {
      this.#wakeLater(actor)
      return
    }
    this.#service?.onReleaseRead(bytes, at, length)
  }

  #context(): BrokerContext {
    const { thread, threadCount, config, dataDir } = this.options
    const image = this.image
    const table = this.#table as PartitionTable
    return {
      thread,
      threadCount,
      image,
      config,
      clock: this.clock,
      dataDir,
      partitions: new PartitionProxy(thread, table, this.pool, this.bus),
      purgatory: this.#purgatory,
      fetchSessions: new FetchSessionCache(
        () => image.brokerConfig['max.incremental.fetch.session.cache.slots'],
        Math.random,
      ),
      callPartitions: (owner, command, answer) => {
        if (owner === thread) table.command(command, answer)
        else this.#call(owner, command, answer)
      },
      callController: (command, answer) => this.#callController(command, answer),
      callCoordinator: (command, answer) => this.#coordinatorLink.call(command, answer),
      after,
    }
  }

  #askSnapshot(): Promise<Snapshot> {
    const { coordinatorThread } = this.options.placement
    return new Promise((resolve, reject) => {
      this.#call(coordinatorThread, { kind: 'metadata-snapshot' }, (snapshot) => {
        if (snapshot === undefined) reject(new Error('the coordinator thread was lost'))
        else resolve(snapshot as Snapshot)
      })
    })
  }

  #callController<C extends ControllerCommand>(
    command: C,
    answer: (result: ControllerAnswers[C['kind']] | undefined) => void,
  ): void {
    if (this.#isCoordinator) this.#controllerHere().onCommand(command, answer)
    else this.#call(this.options.placement.coordinatorThread, command, answer as never)
  }

  #controllerHere(): Controller {
    this.#controller ??= new Controller({
      image: this.image,
      store: this.#store as Metadata,
      broadcast: (update, done) => this.#broadcast(update, done),
      onLowered: (topics) => {
        this.log.info('more replicas were asked for than there are nodes: topics have one', {
          topics,
        })
      },
      onStorageError: (error) => this.log.error(error.message),
    })
    return this.#controller
  }

  #coordinatorHere(): Coordinator {
    const table = this.#table as PartitionTable
    const { context } = this.dispatcher
    this.#coordinator ??= new Coordinator({
      image: this.image,
      clock: this.clock,
      pool: this.pool,
      codecs: table.codecs,
      crc32c: (bytes) => crc32c(bytes),
      log: this.log,
      random: Math.random,
      append: (slot, batch, sink) => table.append(slot, batch, true, sink, 0, FROM_COORDINATOR),
      appendMarker: (slot, marker, done) => {
        const markers = [{ ...marker, slot }]
        table.command({ kind: 'write-markers', markers }, ([result]) => {
          done((result as { errorCode: ErrorCode }).errorCode)
        })
      },
      startOffset: (slot) => table.startOffset(slot),
      endOffset: (slot) => table.endOffset(slot),
      read: (slot, fetchOffset, maxBytes) => table.readOne(slot, fetchOffset, maxBytes),
      readPartitions: (thread, order, done) => {
        context.partitions.read(thread, order, ({ partitions, release }) => {
          done(partitions)
          release()
        })
      },
      waiters: this.#purgatory,
      callPartitions: context.callPartitions,
      callController: (command, answer) => this.#callController(command, answer),
      after,
      soon: setImmediate,
    })
    return this.#coordinator
  }

  /** Tells all other threads; one that is lost will ask for a snapshot when it is back. */
  #broadcast(update: MetadataUpdate, done: () => void): void {
    let pending = 1
    const onAnswer = () => {
      pending--
      if (pending === 0) done()
    }
    for (let peer = 0; peer < this.options.threadCount; peer++) {
      if (peer === this.options.thread) continue
      pending++
      this.#call(peer, update, onAnswer)
    }
    onAnswer()
  }

  #call(thread: number, command: Command, answer: (result: never) => void): void {
    const bus = this.bus as ThreadBus
    bus.request(thread, MessageType.call, 0, pack(command), (status, _type, bytes, at, length) => {
      answer(
        status === 'ok' ? (unpack(bytes.subarray(at, at + length)) as never) : (undefined as never),
      )
    })
  }

  #onCall(from: number, correlation: number, command: Command): void {
    const reply = (result: unknown) => {
      this.bus?.reply(from, correlation, MessageType.call, pack(result))
    }
    if (this.#image === undefined) {
      // Without an image yet: an update is part of the snapshot that is to come.
      if (command.kind === 'metadata-update') reply(null)
      else this.#early.push(() => this.#onCall(from, correlation, command))
      return
    }
    if (command.kind === 'metadata-update') {
      for (const delta of command.deltas) this.image.apply(delta)
      reply(null)
    } else if (command.kind === 'metadata-snapshot') {
      const { clusterId, deltas } = (this.#store as Metadata).load()
      reply({ clusterId, startCount: this.image.startCount, deltas })
    } else if (PARTITION_COMMANDS.has(command.kind)) {
      const table = this.#table as PartitionTable
      table.command(command as PartitionCommand, reply)
    } else if (command.kind === 'coordinate') {
      this.#coordinatorLink.onRequest(from, command, reply)
    } else if (command.kind === 'coordinated') {
      this.#coordinatorLink.onAnswer(command)
      reply(null)
    } else {
      this.#controllerHere().onCommand(command as ControllerCommand, reply)
    }
  }

  #wake(asker: number, slot: number): void {
    if (asker === this.options.thread) this.#wakeLater(slot)
    else this.bus?.notice(asker, MessageType.wake, slot, NO_PAYLOAD)
  }

  /** At the end of the turn: many appends of one turn wake a reader once. */
  #wakeLater(slot: number): void {
    this.#wakes.push(slot)
    if (this.#wakeScheduled) return
    this.#wakeScheduled = true
    setImmediate(() => {
      this.#wakeScheduled = false
      for (const one of this.#wakes.splice(0)) this.#purgatory.wake(one)
    })
  }
}

function after(delayMs: number, then: () => void): () => void {
  const timer = setTimeout(then, delayMs)
  return () => clearTimeout(timer)
}
