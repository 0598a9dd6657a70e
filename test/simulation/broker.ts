/**
 * A broker's partitions on a disk that fails: starts, serves, is killed, loses power, stops
 * cleanly.
 */
import { runTask } from '../../src/actors/clean-segments.ts'
import { WITHOUT_PAUSES } from '../../src/actors/pace.ts'
import type { AppendResult } from '../../src/actors/partition-requests.ts'
import type { Log } from '../../src/base/log.ts'
import { PartitionTable } from '../../src/broker/partition-table.ts'
import { CodecError, type Codecs } from '../../src/protocol/compression.ts'
import { BufferPool } from '../../src/ring/arena.ts'
import { MemoryDisk, MemoryStorage } from '../../src/storage/memory.ts'
import type { StorageFault, StorageOperation } from '../../src/storage/memory-file.ts'
import { crc32c } from '../log/batches.ts'
import { addTopic, emptyImage } from '../support/cluster.ts'
import type { Random } from './random.ts'
import { type Read, RingHop } from './ring-hop.ts'
import type { Scheduler } from './scheduler.ts'

/** How clients reach partitions. Answers come in the order of the requests, or never. */
export interface Transport {
  /** `onLost`: the connection is gone, with all that was not answered. */
  connect(onLost: () => void): ClientConnection
}

/** What may go wrong, as shares of the operations it happens to. */
export interface Misfortune {
  /** Of appends: the disk is full for this one, after some bytes. */
  full: number
  /** Of appends: an error that takes the partition offline, torn bytes left behind. */
  tornAppend: number
  /** Of appends: the process dies in the middle. */
  killedInAppend: number
  /** Of reads, flushes, index transactions and the rest. */
  otherErrors: number
  /** Of crashes: the index of some or all partitions is gone afterwards. */
  indexLoss: number
  /** The canary: of crashes, a disk that forgets the end of what it had accepted. */
  lies: number
}

export interface SimulatedBrokerParts {
  scheduler: Scheduler
  random: Random
  misfortune: Misfortune
  partitions: number
  /** Acks wait for flushes, and crashes lose what was not flushed. */
  powerLoss: boolean
  onPowerLost(): void
}

/** Within this the journals of all partitions were written twice, if no misfortune came. */
const INDEX_YOUNG_MS = 2500

/** Virtual time begins here, ms since 1970. */
const BASE_MS = 1_700_000_000_000

const noCodecs: Codecs = {
  decompress: () => {
    throw new CodecError('the simulation sends no compressed batches')
  },
  compress: () => {
    throw new CodecError('the simulation sends no compressed batches')
  },
}

/** Work of a request, which calls `reply` once. */
type Work = (table: PartitionTable, reply: (answer: () => void) => void, hop: RingHop) => void

/** One client's connection: requests arrive in order, and their answers too. */
export class ClientConnection {
  readonly #broker: SimulatedBroker
  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #onLost: () => void
  /** Requests that were not answered, in order; `answer` once it is known. */
  readonly #requests: { answer: (() => void) | undefined }[] = []
  #arrivalMs = 0
  #answerMs = 0
  #lost = false

  constructor(broker: SimulatedBroker, parts: SimulatedBrokerParts, onLost: () => void) {
    this.#broker = broker
    this.#scheduler = parts.scheduler
    this.#random = parts.random
    this.#onLost = onLost
  }

  append(slot: number, records: Buffer, answer: (result: AppendResult) => void): void {
    this.#request((_table, reply, hop) => {
      hop.append(slot, Buffer.from(records), (result) => reply(() => answer(result)))
    })
  }

  read(slot: number, fetchOffset: number, maxBytes: number, answer: (read: Read) => void): void {
    this.#request((_table, reply, hop) => {
      hop.read(slot, fetchOffset, maxBytes, (read) => reply(() => answer(read)))
    })
  }

  deleteRecords(slot: number, offset: number, answer: (lowWatermark: number) => void): void {
    this.#request((table, reply) => {
      const partitions = [{ slot, offset }]
      table.command({ kind: 'delete-records', partitions }, ([result]) =>
        reply(() => answer(result?.lowWatermark ?? -1)),
      )
    })
  }

  /** Nothing that is under way is answered any more. */
  lose(): void {
    if (this.#lost) return
    this.#lost = true
    this.#scheduler.after(this.#random.int(0, 500), this.#onLost)
  }

  #request(work: Work): void {
    const request: { answer: (() => void) | undefined } = { answer: undefined }
    this.#requests.push(request)
    this.#arrivalMs = Math.max(this.#arrivalMs, this.#scheduler.nowMs + this.#random.int(0, 5))
    // Half a millisecond keeps the order: what is due together happens in an order of chance.
    this.#arrivalMs += 0.5
    this.#scheduler.after(this.#arrivalMs - this.#scheduler.nowMs, () => {
      if (this.#lost) return
      const { table, hop } = this.#broker
      if (table === undefined || hop === undefined) {
        this.lose()
        return
      }
      const reply = (answer: () => void) => {
        request.answer = answer
        this.#answerInOrder()
      }
      work(table, reply, hop)
    })
  }

  #answerInOrder(): void {
    while (!this.#lost && this.#requests[0]?.answer !== undefined) {
      const { answer } = this.#requests.shift() as { answer: () => void }
      this.#answerMs =
        Math.max(this.#answerMs, this.#scheduler.nowMs + this.#random.int(0, 5)) + 0.5
      this.#scheduler.after(this.#answerMs - this.#scheduler.nowMs, () => this.#lost || answer())
    }
  }
}

export class SimulatedBroker implements Transport {
  readonly disk = new MemoryDisk()
  readonly pool = new BufferPool()
  /** What the broker said, the last lines. */
  readonly lines: string[] = []
  calm = false
  crashes = 0
  readonly #parts: SimulatedBrokerParts
  #starts = 0
  /** Rises with each crash: what belongs to an older life does not happen any more. */
  #life = 0
  readonly #connections = new Set<ClientConnection>()
  #table: PartitionTable | undefined
  #hop: RingHop | undefined
  /** It was lost, and what was rebuilt does not say yet what was forced to the disk. */
  #indexIsYoung = false
  #storage: MemoryStorage | undefined

  constructor(parts: SimulatedBrokerParts) {
    this.#parts = parts
    this.start(true)
  }

  /** The partitions, or `undefined`: no process runs. */
  get table(): PartitionTable | undefined {
    return this.#table
  }

  /** The way over the rings to the thread of the partitions. */
  get hop(): RingHop | undefined {
    return this.#hop
  }

  /** `trustCheckpoint`: the disk lost nothing since the last life. */
  start(trustCheckpoint: boolean): void {
    const { scheduler, random, partitions, powerLoss } = this.#parts
    this.#starts++
    const life = ++this.#life
    const after = (delayMs: number, then: () => void) =>
      scheduler.after(delayMs, () => this.#life === life && then())
    const configs = { 'odradek.flush.policy': powerLoss ? 'group-commit' : 'os' }
    const image = emptyImage({ configs, startCount: this.#starts, shards: 1, coordinatorThread: 0 })
    const topic = { 'internal.segment.bytes': '3000' }
    addTopic(image, 't', { partitions, configs: topic })
    this.#storage = new MemoryStorage(this.disk, {
      defer: (then) => after(random.int(0, 30), then),
      fault: (operation) => this.#fault(operation),
      wallMs: () => BASE_MS + scheduler.nowMs,
    })
    const storage = this.#storage
    const tools = {
      codecs: noCodecs,
      crc32c,
      monotonicMs: () => scheduler.nowMs,
      pace: WITHOUT_PAUSES,
      filesOf: (directory: string) => storage.cleaningFiles(directory),
    }
    this.#table = new PartitionTable({
      thread: 0,
      image,
      storage: this.#storage,
      clock: { wallMs: () => BASE_MS + scheduler.nowMs, monotonicMs: () => scheduler.nowMs },
      pool: this.pool,
      codecs: noCodecs,
      crc32c,
      random: random.next,
      log: this.#log(),
      trustCheckpoint,
      durable: true,
      threadCount: 1,
      runTask: async (task) => runTask(task, tools),
      onAccess: () => {},
      wake: () => {},
      after,
    })
    this.#table.openAll()
    after(INDEX_YOUNG_MS, () => {
      this.#indexIsYoung = false
    })
    this.#hop = new RingHop(this.#table, this.pool, random, after)
  }

  /** Ends the process at once, and starts it again after a while. */
  crash(): void {
    if (this.#table === undefined) return
    const { random, scheduler, misfortune, powerLoss } = this.#parts
    this.crashes++
    this.#end()
    // Without the index nobody knows what was forced to the disk before the power went.
    const lossy = random.chance(0.5) && powerLoss && this.#isIndexed()
    if (lossy) {
      this.disk.losePower(random.next, (unsynced) => {
        if (random.chance(0.3)) unsynced.fill(0, random.int(0, unsynced.length - 1))
      })
      this.#parts.onPowerLost()
    }
    if (!lossy && random.chance(misfortune.indexLoss)) this.#loseIndex()
    if (random.chance(misfortune.lies)) this.#forgetEnd()
    this.lines.push(`${scheduler.nowMs}: crash ${lossy ? 'with loss of power' : ''}`)
    scheduler.after(random.int(1, 3000), () => this.start(!lossy))
  }

  /** A clean stop, then a start that believes what was written. */
  async restart(): Promise<void> {
    const table = this.#table
    if (table === undefined) return
    const life = this.#life
    this.#table = undefined
    await table.close()
    // A crash came in between.
    if (this.#life !== life) return
    this.#end()
    this.lines.push(`${this.#parts.scheduler.nowMs}: clean stop`)
    this.#parts.scheduler.after(this.#parts.random.int(1, 1000), () => this.start(true))
  }

  connect(onLost: () => void): ClientConnection {
    const connection = new ClientConnection(this, this.#parts, onLost)
    this.#connections.add(connection)
    return connection
  }

  #end(): void {
    this.#life++
    this.#table = undefined
    this.#hop?.close()
    this.#hop = undefined
    this.#storage?.drop()
    for (const connection of this.#connections) connection.lose()
    this.#connections.clear()
  }

  #fault({ kind, bytes }: StorageOperation): StorageFault | undefined {
    const { random, misfortune, scheduler } = this.#parts
    if (this.calm) return undefined
    if (kind === 'append') {
      if (random.chance(misfortune.full)) return { code: 'ENOSPC', landed: random.int(0, bytes) }
      const landed = random.int(0, bytes)
      if (random.chance(misfortune.tornAppend)) return { code: 'EIO', landed, stays: true }
      if (random.chance(misfortune.killedInAppend)) {
        this.#storage?.drop()
        scheduler.after(0, () => this.crash())
        return { code: 'EIO', landed, stays: true }
      }
      return undefined
    }
    return random.chance(misfortune.otherErrors) ? { code: 'EIO' } : undefined
  }

  /** Whether the index says of every partition what was forced to the disk. */
  #isIndexed(): boolean {
    return !this.#indexIsYoung && this.disk.shelf.size === this.#parts.partitions
  }

  #loseIndex(): void {
    const { random } = this.#parts
    this.#indexIsYoung = true
    for (const slot of [...this.disk.shelf.keys()]) {
      if (random.chance(0.7)) this.disk.shelf.delete(slot)
    }
  }

  /** Drops the newer half of a segment, as if it had never been accepted. */
  #forgetEnd(): void {
    for (const { files } of this.disk.directories.values()) {
      for (const file of files.values()) file.size = file.size >> 1
    }
  }

  #log(): Log {
    const note = (message: string, fields?: object) => {
      this.lines.push(`${this.#parts.scheduler.nowMs}: ${message} ${JSON.stringify(fields ?? {})}`)
      if (this.lines.length > 400) this.lines.splice(0, 200)
    }
    return { debug: note, info: note, warn: note, error: note }
  }
}
