/**
 * The durable metadata of the broker: topics, configurations, ids that were given out. An LMDB
 * environment of its own; what is appended is on the disk, synced, when the call returns. One
 * thread writes (the controller's); it is opened once per process.
 */
import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { crc32c } from '@node-rs/crc32'
import { type Key, open, type RootDatabase } from 'lmdb'
import { Packr } from 'msgpackr'
import { AssertionError, assert, unreachable } from '../base/assert.ts'
import { newUuid } from '../base/uuid.ts'
import type { ConfigEntries, MetadataDelta, PartitionRecord } from '../cluster/delta.ts'
import { lmdbFileProblem } from './lmdb-check.ts'
import {
  type DeletedTopicFiles,
  type LoadedMetadata,
  type Metadata,
  PRODUCER_ID_BLOCK_SIZE,
} from './metadata.ts'
import { StorageError } from './storage-error.ts'

/**
 * What lies under `directory` when it is opened for the first time is 1; newer ones are refused.
 */
const FORMAT = 1

const CRC_BYTES = 4

interface TopicRecord {
  name: string
  id: string
  internal: boolean
  partitions: readonly PartitionRecord[]
  configs: ConfigEntries
}

interface NamedConfigs {
  name: string
  configs: ConfigEntries
}

/**
 * Opens the store under `directory`, which is made if it is missing. `clusterId` is used when the
 * store is new; without it, or where it is empty, a random one is made. Not `durable`: what is
 * appended outlives the process, and not the machine. Throws StorageError: not
 * readable, damaged, or written by a newer version.
 */
export function openMetadataStore(
  directory: string,
  clusterId?: string,
  durable = true,
): MetadataStore {
  const database = guarded(`cannot open the metadata in ${directory}`, () => {
    mkdirSync(directory, { recursive: true })
    const problem = lmdbFileProblem(join(directory, 'data.mdb'))
    if (problem !== null)
      throw new StorageError(`the metadata in ${directory} is damaged: ${problem}`)
    // Without overlapping sync a commit returns after its fdatasync; small maps open fast and grow.
    return open<Buffer, Key>({
      path: directory,
      noSubdir: false,
      encoding: 'binary',
      overlappingSync: false,
      mapSize: 1 << 20,
      noSync: !durable,
    })
  })
  return new MetadataStore(database, directory, clusterId)
}

/** Lives on the thread that opened it. Between calls the environment equals what was appended. */
export class MetadataStore implements Metadata {
  readonly #database: RootDatabase<Buffer, Key>
  readonly #directory: string
  readonly #packr = new Packr({ useRecords: false })

  constructor(database: RootDatabase<Buffer, Key>, directory: string, clusterId?: string) {
    this.#database = database
    this.#directory = directory
    this.#transact(() => this.#prepare(clusterId))
  }

  /** Everything that is kept. */
  load(): LoadedMetadata {
    return this.#guard(() => ({
      clusterId: this.#get<string>(['cluster-id']) ?? '',
      startCount: this.#get<number>(['start-count']) ?? 0,
      deltas: [...this.#loadDeltas()],
    }))
  }

  /** Keeps changes: all of them or, when it throws StorageError, none. */
  append(deltas: readonly MetadataDelta[]): void {
    if (deltas.length === 0) return
    this.#transact(() => {
      for (const delta of deltas) this.#keep(delta)
    })
  }

  /** The first id of a block of PRODUCER_ID_BLOCK_SIZE that nobody has or will get again. */
  nextProducerIdBlock(): number {
    return this.#transact(() => {
      const first = this.#get<number>(['next-producer-id']) ?? 0
      this.#put(['next-producer-id'], first + PRODUCER_ID_BLOCK_SIZE)
      return first
    })
  }

  /** Counts a start of the broker; answers 1 for the first. */
  beginStart(): number {
    return this.#transact(() => {
      const startCount = (this.#get<number>(['start-count']) ?? 0) + 1
      this.#put(['start-count'], startCount)
      return startCount
    })
  }

  /** Topics that were deleted since `forgetDeleted`: a crash may have left their files. */
  deletedTopics(): DeletedTopicFiles[] {
    return this.#guard(() => [...this.#all<DeletedTopicFiles>('deleted')])
  }

  /** The files of these topics are gone for good. */
  forgetDeleted(topics: readonly DeletedTopicFiles[]): void {
    if (topics.length === 0) return
    this.#transact(() => {
      for (const { id } of topics) this.#database.removeSync(['deleted', id])
    })
  }

  /** Ends the use of the environment; everything is on the disk already. */
  async close(): Promise<void> {
    await this.#database.close()
  }

  #prepare(clusterId: string | undefined): void {
    const format = this.#get<number>(['format'])
    if (format !== undefined && format > FORMAT) {
      throw new StorageError(
        `the metadata in ${this.#directory} has format ${format}; this version reads up to ${FORMAT}`,
      )
    }
    if (format !== undefined) return
    this.#put(['format'], FORMAT)
    this.#put(['cluster-id'], clusterId || newUuid(Math.random))
  }

  *#loadDeltas(): Generator<MetadataDelta> {
    yield { kind: 'slots-reserved', next: this.#get<number>(['next-slot']) ?? 0 }
    for (const { name, configs } of this.#all<NamedConfigs>('broker'))
      yield { kind: 'broker-configs-set', broker: name, configs }
    for (const topic of this.#all<TopicRecord>('topic')) yield { kind: 'topic-created', ...topic }
    for (const { name, configs } of this.#all<NamedConfigs>('group'))
      yield { kind: 'group-configs-set', group: name, configs }
    for (const { name, configs } of this.#all<NamedConfigs>('client-metrics'))
      yield { kind: 'client-metrics-set', subscription: name, configs }
  }

  #keep(delta: MetadataDelta): void {
    switch (delta.kind) {
      case 'topic-created': {
        const { kind: _, ...topic } = delta
        this.#reserveSlots(delta.partitions)
        this.#put(['topic', delta.id], topic satisfies TopicRecord)
        break
      }
      case 'topic-deleted': {
        const { name, id, partitions } = this.#topic(delta.id)
        const deleted = { name, id, partitions: partitions.length } satisfies DeletedTopicFiles
        this.#put(['deleted', id], deleted)
        this.#database.removeSync(['topic', id])
        break
      }
      case 'partitions-added': {
        this.#reserveSlots(delta.partitions)
        const topic = this.#topic(delta.id)
        const partitions = [...topic.partitions.slice(0, delta.firstIndex), ...delta.partitions]
        this.#put(['topic', delta.id], { ...topic, partitions })
        break
      }
      case 'topic-configs-set':
        this.#put(['topic', delta.id], { ...this.#topic(delta.id), configs: delta.configs })
        break
      case 'broker-configs-set':
        this.#putConfigs('broker', delta.broker, delta.configs)
        break
      case 'group-configs-set':
        this.#putConfigs('group', delta.group, delta.configs)
        break
      case 'client-metrics-set':
        this.#putConfigs('client-metrics', delta.subscription, delta.configs)
        break
      case 'slots-reserved':
        this.#put(['next-slot'], delta.next)
        break
      default:
        unreachable(delta)
    }
  }

  /** Slots outlive their topics: the number must not come again after the highest was deleted. */
  #reserveSlots(partitions: readonly PartitionRecord[]): void {
    let next = this.#get<number>(['next-slot']) ?? 0
    for (const { slot } of partitions) next = Math.max(next, slot + 1)
    this.#put(['next-slot'], next)
  }

  #topic(id: string): TopicRecord {
    const topic = this.#get<TopicRecord>(['topic', id])
    assert(topic, 'a topic that changes is kept')
    return topic
  }

  /** Names of groups may be longer than a key of LMDB, so the key is their digest. */
  #putConfigs(table: string, name: string, configs: ConfigEntries): void {
    const key = [table, digestOf(name)]
    if (configs.length === 0) this.#database.removeSync(key)
    else this.#put(key, { name, configs } satisfies NamedConfigs)
  }

  *#all<T>(table: string): Generator<T> {
    // Ids and digests are ASCII, so every key of the table lies below this end.
    for (const { key, value } of this.#database.getRange({ start: [table], end: [table, '~'] }))
      yield this.#decode<T>(key, value)
  }

  #get<T>(key: Key[]): T | undefined {
    const value = this.#database.get(key)
    return value === undefined ? undefined : this.#decode<T>(key, value)
  }

  #put(key: Key[], value: unknown): void {
    const packed = this.#packr.pack(value)
    const stored = Buffer.allocUnsafe(CRC_BYTES + packed.length)
    packed.copy(stored, CRC_BYTES)
    stored.writeUInt32BE(crc32c(packed), 0)
    this.#database.putSync(key, stored)
  }

  /** LMDB has no checksums of its own, so each value carries one. */
  #decode<T>(key: Key, value: Buffer): T {
    const packed = value.subarray(CRC_BYTES)
    if (value.length < CRC_BYTES || crc32c(packed) !== value.readUInt32BE(0)) {
      const name = Array.isArray(key) ? key.join(' ') : String(key)
      throw new StorageError(`the metadata in ${this.#directory} is damaged at "${name}"`)
    }
    return this.#packr.unpack(packed) as T
  }

  #transact<T>(action: () => T): T {
    return this.#guard(() => this.#database.transactionSync(action))
  }

  #guard<T>(action: () => T): T {
    return guarded(`the metadata in ${this.#directory} failed`, action)
  }
}

function guarded<T>(what: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (error instanceof StorageError || error instanceof AssertionError) throw error
    throw new StorageError(what, error)
  }
}

/** Loaded at the first use: node:crypto takes some 20 ms, and most brokers never need it here. */
function digestOf(name: string): string {
  const { createHash } = createRequire(import.meta.url)(
    'node:crypto',
  ) as typeof import('node:crypto')
  return createHash('sha256').update(name).digest('base64url')
}
