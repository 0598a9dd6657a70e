/**
 * A partition whose log compaction and retention work on, over storage in memory: random batches go
 * into it and into the model, and are read back from its segments.
 */
import { runTask } from '../../src/actors/clean-segments.ts'
import { Cleaner } from '../../src/actors/cleaner.ts'
import { WITHOUT_PAUSES } from '../../src/actors/pace.ts'
import type { Partition } from '../../src/actors/partition.ts'
import type { PartitionLog } from '../../src/actors/partition-log.ts'
import { createCodecs } from '../../src/codecs/codecs.ts'
import { effectiveBroker, staticLayers } from '../../src/config/effective.ts'
import { readMarker } from '../../src/log/marker.ts'
import type { CompressedCodec } from '../../src/protocol/compression.ts'
import {
  attributes,
  baseOffset,
  baseSequence,
  baseTimestamp,
  buildBatch,
  CONTROL_BIT,
  compressionOf,
  DELETE_HORIZON_BIT,
  isControl,
  isTransactional,
  lastOffset,
  lastOffsetDelta,
  producerEpoch,
  producerId,
  RECORD_BATCH_OVERHEAD,
  RecordCursor,
  recordsCount,
  TRANSACTIONAL_BIT,
} from '../../src/protocol/record-batch.ts'
import { MemoryDisk, MemoryStorage } from '../../src/storage/memory.ts'
import { batchesIn } from '../crash/segments.ts'
import { crc32c } from '../log/batches.ts'
import type { Seeded } from '../support/seeded.ts'
import type { ModelBatch, ModelRecord } from './cleaning-model.ts'
import { appendTo, hostOf, partitionOn, settle, writeIndex } from './logs.ts'

export const START_MS = 1_700_000_000_000

export const codecs = createCodecs()

/** A partition with a cleaner, on a clock that stands still until it is told to go on. */
export class CleaningBench {
  readonly disk = new MemoryDisk()
  readonly storage: MemoryStorage
  readonly partition: Partition
  readonly cleaner: Cleaner
  readonly logged: string[] = []
  nowMs = START_MS
  /** Which operations of the disk fail. */
  fault: NonNullable<NonNullable<ConstructorParameters<typeof MemoryStorage>[1]>['fault']> = () =>
    undefined

  constructor(topic: Record<string, string>, broker: Record<string, string> = {}) {
    this.storage = new MemoryStorage(this.disk, {
      wallMs: () => this.nowMs,
      fault: (operation) => this.fault(operation),
    })
    const clock = { wallMs: () => this.nowMs, monotonicMs: () => this.nowMs }
    this.partition = partitionOn(this.storage, topic, hostOf(), { clock })
    const config = effectiveBroker(staticLayers(broker))
    const note = (message: string, fields: object = {}) => {
      this.logged.push(`${message} ${JSON.stringify(fields)}`)
    }
    const tools = {
      codecs,
      crc32c,
      monotonicMs: () => 0,
      pace: WITHOUT_PAUSES,
      filesOf: (directory: string) => this.storage.cleaningFiles(directory),
    }
    this.cleaner = new Cleaner({
      clock,
      log: { debug: () => {}, info: note, warn: note, error: note },
      runTask: async (task) => runTask(task, tools),
      threadCount: 1,
      brokerConfig: () => config,
      partitions: () => [this.partition],
      owns: () => true,
      changed: () => {},
      failed: (_partition, error) => {
        throw error
      },
    })
  }

  get log(): PartitionLog {
    return this.partition.log
  }

  /** Lets the cleaner look, and everything that it begins come to its end. */
  async tick(): Promise<void> {
    // Segments that were rolled reach the disk.
    await settle()
    await writeIndex(this.partition.log)
    this.cleaner.onTick()
    await settle()
    await writeIndex(this.partition.log)
  }

  /** Everything that lies in the segments. */
  read(): ModelBatch[] {
    return this.partition.log.segments.flatMap(({ baseOffset: base, file }) => {
      if (file.size === 0) return []
      return batchesIn(this.disk.segment('t', 0, base)).map(({ bytes }) => modelOf(bytes))
    })
  }
}

/** What stands in a batch. */
export function modelOf(bytes: Buffer): ModelBatch {
  const control = isControl(bytes, 0)
  const marker = control && recordsCount(bytes, 0) > 0 ? readMarker(bytes, 0) : undefined
  const hasHorizon = (attributes(bytes, 0) & DELETE_HORIZON_BIT) !== 0
  return {
    baseOffset: baseOffset(bytes, 0),
    lastOffset: lastOffset(bytes, 0),
    producerId: producerId(bytes, 0),
    producerEpoch: producerEpoch(bytes, 0),
    baseSequence: baseSequence(bytes, 0),
    transactional: isTransactional(bytes, 0),
    commit: control ? (marker?.commit ?? true) : undefined,
    codec: compressionOf(bytes, 0),
    count: lastOffsetDelta(bytes, 0) + 1,
    records: recordsOf(bytes),
    horizonMs: hasHorizon ? baseTimestamp(bytes, 0) : undefined,
  }
}

function recordsOf(bytes: Buffer): ModelRecord[] {
  const section = bytes.subarray(RECORD_BATCH_OVERHEAD)
  const codec = compressionOf(bytes, 0)
  const plain =
    codec === 0 || recordsCount(bytes, 0) === 0
      ? section
      : Buffer.from(codecs.decompress(codec as CompressedCodec, section, 1 << 20))
  const cursor = new RecordCursor()
  const records: ModelRecord[] = []
  cursor.reset(plain, 0, plain.length, recordsCount(bytes, 0))
  while (cursor.next()) {
    records.push({
      offset: baseOffset(bytes, 0) + cursor.offsetDelta,
      key: cursor.key()?.toString('hex') ?? null,
      value: cursor.value()?.toString('hex') ?? null,
      timestamp: baseTimestamp(bytes, 0) + cursor.timestampDelta,
    })
  }
  return records
}

/** Where a load goes. */
interface LoadTarget {
  readonly nowMs: number
  readonly log: PartitionLog
}

/** A producer of the load. */
interface LoadProducer {
  id: number
  epoch: number
  sequence: number
  inTransaction: boolean
}

/** Random appends: keys that come again, tombstones, codecs, idempotence, transactions. */
export class RandomLoad {
  readonly #random: Seeded
  readonly #bench: LoadTarget
  readonly #keys: number
  readonly #producers: LoadProducer[]
  #nextId = 5

  constructor(random: Seeded, bench: LoadTarget, keys: number) {
    this.#random = random
    this.#bench = bench
    this.#keys = keys
    this.#producers = [1, 2, 3, 4].map((id) => {
      return { id, epoch: 0, sequence: 0, inTransaction: false }
    })
  }

  /** Appends one batch and answers it. */
  append(): ModelBatch {
    const random = this.#random
    const producer = random.chance(0.7) ? random.pick(this.#producers) : undefined
    // The first two producers have transactions.
    if (producer !== undefined && producer.id <= 2) {
      if (producer.inTransaction && random.chance(0.4)) return this.#mark(producer)
      producer.inTransaction = true
      return this.#data(producer, true)
    }
    const batch = this.#data(producer, false)
    // It falls silent: what it wrote last keeps its sequence, however old it becomes.
    if (producer !== undefined && random.chance(0.1)) {
      Object.assign(producer, { id: this.#nextId++, sequence: 0 })
    }
    return batch
  }

  /** Ends all transactions. */
  finish(): ModelBatch[] {
    return this.#producers.filter((one) => one.inTransaction).map((one) => this.#mark(one))
  }

  #data(producer: LoadProducer | undefined, transactional: boolean): ModelBatch {
    const random = this.#random
    const count = random.between(1, 6)
    const codec = random.chance(0.5) ? 0 : random.between(1, 4)
    const records = Array.from({ length: count }, () => ({
      timestamp: this.#bench.nowMs - random.between(0, 5000),
      // Written before the topic was compacted.
      key: random.chance(0.1) ? null : Buffer.from(`key-${random.between(1, this.#keys)}`),
      value: random.chance(0.2) ? null : random.bytes(random.between(0, 40)),
    }))
    const sequence = producer?.sequence ?? -1
    if (producer !== undefined) producer.sequence += count
    return this.#put(
      buildBatch(
        {
          records,
          baseOffset: this.#bench.log.logEndOffset,
          partitionLeaderEpoch: 0,
          attributes: codec | (transactional ? TRANSACTIONAL_BIT : 0),
          producerId: producer?.id ?? -1,
          producerEpoch: producer?.epoch ?? -1,
          baseSequence: sequence,
        },
        crc32c,
        codec === 0
          ? undefined
          : (section) => codecs.compress(codec as CompressedCodec, section, codec === 1 ? -1 : 3),
      ),
    )
  }

  #mark(producer: LoadProducer): ModelBatch {
    const commit = this.#random.chance(0.5)
    producer.inTransaction = false
    if (this.#random.chance(0.3)) {
      producer.epoch++
      producer.sequence = 0
    }
    return this.#put(
      buildBatch(
        {
          records: [
            {
              timestamp: this.#bench.nowMs,
              key: Buffer.from([0, 0, 0, commit ? 1 : 0]),
              value: Buffer.from([0, 0, 0, 0, 0, 7]),
            },
          ],
          baseOffset: this.#bench.log.logEndOffset,
          partitionLeaderEpoch: 0,
          attributes: TRANSACTIONAL_BIT | CONTROL_BIT,
          producerId: producer.id,
          producerEpoch: producer.epoch,
        },
        crc32c,
      ),
    )
  }

  #put(batch: Buffer): ModelBatch {
    appendTo(this.#bench.log, batch, this.#bench.nowMs)
    return modelOf(batch)
  }
}
