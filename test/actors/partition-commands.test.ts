import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { OffsetSpec, type PartitionAnswers } from '../../src/actors/mailbox/partition.ts'
import { Partition } from '../../src/actors/partition.ts'
import { onPartitionCommand } from '../../src/actors/partition-commands.ts'
import { FROM_COORDINATOR } from '../../src/actors/partition-requests.ts'
import { createCodecs } from '../../src/codecs/codecs.ts'
import { CodecId, type CompressedCodec } from '../../src/protocol/compression.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import { buildBatch, TRANSACTIONAL_BIT } from '../../src/protocol/record-batch.ts'
import { MemoryDisk, MemoryStorage } from '../../src/storage/memory.ts'
import { crc32c } from '../log/batches.ts'
import { hostOf, partsOf, topicConfig, writeIndex } from './logs.ts'

const codecs = createCodecs()
const SLOT = 1
const EPOCH = 3

interface Bench {
  partition: Partition
  disk: MemoryDisk
  clock: { nowMs: number }
  heard: string[]
  /** Set: every read fails. */
  broken: { reads: boolean }
}

function bench(): Bench {
  const disk = new MemoryDisk()
  const clock = { nowMs: 5000 }
  const broken = { reads: false }
  const storage = new MemoryStorage(disk, {
    fault: ({ kind }) => (broken.reads && kind === 'read' ? { code: 'EIO' } : undefined),
  })
  const parts = partsOf(storage, {
    clock: { wallMs: () => clock.nowMs, monotonicMs: () => clock.nowMs },
  })
  const host = { ...hostOf(), codecs }
  const partition = new Partition(parts, EPOCH, topicConfig(), host)
  partition.log.open(true)
  partition.goOnline()
  return { partition, disk, clock, heard: host.heard, broken }
}

/** Appends one batch as a producer sends it; answers its base offset. */
function append(
  t: ExecutionContext,
  partition: Partition,
  timestamps: readonly number[],
  options: { codec?: number; valueBytes?: number; producerId?: number; sequence?: number } = {},
): number {
  const { codec = CodecId.uncompressed, valueBytes = 1, producerId = -1, sequence = -1 } = options
  const value = Buffer.alloc(valueBytes, 'v')
  const batch = buildBatch(
    {
      records: timestamps.map((timestamp) => ({ timestamp, key: null, value })),
      attributes: codec | (producerId >= 0 ? TRANSACTIONAL_BIT : 0),
      producerId,
      producerEpoch: producerId >= 0 ? 0 : -1,
      baseSequence: sequence,
    },
    crc32c,
    codec === CodecId.uncompressed
      ? undefined
      : (plain) => codecs.compress(codec as CompressedCodec, plain, codec === CodecId.lz4 ? 9 : 1),
  )
  let base = -1
  const onAppended = (_tag: number, result: { errorCode: ErrorCode; baseOffset: number }) => {
    t.is(result.errorCode, ErrorCode.NONE)
    base = result.baseOffset
  }
  partition.append(batch, true, { onAppended }, 0, FROM_COORDINATOR)
  return base
}

function command<Kind extends keyof PartitionAnswers>(
  partition: Partition,
  asked: { kind: Kind } & Record<string, unknown>,
): PartitionAnswers[Kind] {
  let answered: unknown
  onPartitionCommand(
    (slot) => (slot === SLOT ? partition : undefined),
    asked as never,
    (result) => {
      answered = result
    },
  )
  return answered as PartitionAnswers[Kind]
}

function listed(
  partition: Partition,
  timestamp: number,
  options: { readCommitted?: boolean; currentLeaderEpoch?: number; slot?: number } = {},
) {
  const { readCommitted = false, currentLeaderEpoch = -1, slot = SLOT } = options
  const partitions = [{ slot, timestamp, currentLeaderEpoch }]
  return command(partition, { kind: 'list-offsets', readCommitted, partitions })[0]
}

const none = { errorCode: ErrorCode.NONE, timestamp: -1, offset: -1, leaderEpoch: -1 }
const found = (timestamp: number, offset: number) => ({
  errorCode: ErrorCode.NONE,
  timestamp,
  offset,
  leaderEpoch: EPOCH,
})

type Step =
  | { kind: 'append'; timestamps: number[]; codec: number; valueBytes: number; appendTime: boolean }
  | { kind: 'roll' }
  | { kind: 'index' }
  | { kind: 'delete'; part: number }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        kind: fc.constant('append' as const),
        timestamps: fc.array(fc.nat(40), { minLength: 1, maxLength: 4 }),
        codec: fc.constantFrom(0, 0, 0, 1, 2, 3, 4),
        valueBytes: fc.constantFrom(1, 100, 20_000),
        appendTime: fc.constantFrom(false, false, false, true),
      }),
    },
    { weight: 2, arbitrary: fc.constant({ kind: 'roll' as const }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'index' as const }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('delete' as const), part: fc.nat(100) }),
    },
  ),
  { maxLength: 25 },
)

test('a time finds the record that a look at every record finds', async (t) => {
  const property = fc.asyncProperty(steps, async (plan) => {
    const { partition, clock } = bench()
    const { log } = partition
    const records: { offset: number; timestamp: number }[] = []
    for (const step of plan) {
      if (step.kind === 'append') {
        const type = step.appendTime ? 'LogAppendTime' : 'CreateTime'
        clock.nowMs = (records.length * 7) % 40
        partition.configure(topicConfig({ 'message.timestamp.type': type }))
        const base = append(t, partition, step.timestamps, step)
        for (const [i, timestamp] of step.timestamps.entries()) {
          const offset = base + i
          records.push({ offset, timestamp: step.appendTime ? clock.nowMs : timestamp })
        }
      } else if (step.kind === 'roll') {
        if ((log.activeSegment?.file.size ?? 0) > 0) log.roll(clock.nowMs)
      } else if (step.kind === 'index') {
        t.is(await writeIndex(log), undefined)
      } else {
        const offset = Math.floor((log.logEndOffset * step.part) / 100)
        command(partition, { kind: 'delete-records', partitions: [{ slot: SLOT, offset }] })
      }
    }
    const left = records.filter(({ offset }) => offset >= log.logStartOffset)
    for (let timestamp = 0; timestamp <= 41; timestamp++) {
      const first = left.find((record) => record.timestamp >= timestamp)
      const expected = first ? found(first.timestamp, first.offset) : none
      t.deepEqual(listed(partition, timestamp), expected, `time ${timestamp}`)
    }
    const largest = left.reduce((most, { timestamp }) => Math.max(most, timestamp), -1)
    const latest = left.find(({ timestamp }) => timestamp === largest)
    const expected = latest ? found(latest.timestamp, latest.offset) : none
    t.deepEqual(listed(partition, OffsetSpec.maxTimestamp), expected, 'largest timestamp')
  })
  await fc.assert(property, { numRuns: 150 })
})

test('named places are the ends of the log', (t) => {
  const { partition } = bench()
  append(t, partition, [10, 20, 30])
  t.deepEqual(listed(partition, OffsetSpec.latest), found(-1, 3))
  t.deepEqual(listed(partition, OffsetSpec.earliest), found(-1, 0))
  t.deepEqual(listed(partition, OffsetSpec.earliestLocal), found(-1, 0))
  t.deepEqual(listed(partition, OffsetSpec.latestTiered), none)
  t.deepEqual(listed(partition, OffsetSpec.earliestPendingUpload), none)
})

test('an empty log begins and ends at 0 in the epoch of its leader', (t) => {
  const { partition } = bench()
  t.deepEqual(listed(partition, OffsetSpec.latest), found(-1, 0))
  t.deepEqual(listed(partition, OffsetSpec.earliest), found(-1, 0))
  t.deepEqual(listed(partition, OffsetSpec.maxTimestamp), none)
  t.deepEqual(listed(partition, 0), none)
})

test('read_committed sees nothing at or above the last stable offset', (t) => {
  const { partition } = bench()
  append(t, partition, [10])
  append(t, partition, [20], { producerId: 7, sequence: 0 })
  append(t, partition, [30])
  const readCommitted = true
  t.deepEqual(listed(partition, OffsetSpec.latest, { readCommitted }), found(-1, 1))
  t.deepEqual(listed(partition, 5, { readCommitted }), found(10, 0))
  t.deepEqual(listed(partition, 11, { readCommitted }), none)
  t.deepEqual(listed(partition, OffsetSpec.maxTimestamp, { readCommitted }), none)
  t.deepEqual(listed(partition, 11), found(20, 1))
  t.deepEqual(listed(partition, OffsetSpec.latest), found(-1, 3))
})

test('a search by time steps over a damaged batch', (t) => {
  const { partition, disk } = bench()
  append(t, partition, [10], { valueBytes: 200 })
  const damagedFrom = partition.log.size
  append(t, partition, [20, 40], { valueBytes: 200 })
  append(t, partition, [30], { valueBytes: 200 })
  const bytes = disk.segment('t', 0, 0)
  bytes[damagedFrom + 150] = (bytes[damagedFrom + 150] as number) ^ 1
  t.deepEqual(listed(partition, 5), found(10, 0))
  t.deepEqual(listed(partition, 15), found(30, 3))
  t.deepEqual(listed(partition, 35), none)
  t.deepEqual(listed(partition, OffsetSpec.maxTimestamp), found(30, 3))
})

test('a wrong leader epoch, an unknown slot and an offline partition are told apart', (t) => {
  const { partition } = bench()
  const errorOf = (options: { currentLeaderEpoch?: number; slot?: number }) =>
    listed(partition, OffsetSpec.latest, options)?.errorCode
  t.is(errorOf({ currentLeaderEpoch: EPOCH }), ErrorCode.NONE)
  t.is(errorOf({ currentLeaderEpoch: EPOCH - 1 }), ErrorCode.FENCED_LEADER_EPOCH)
  t.is(errorOf({ currentLeaderEpoch: EPOCH + 1 }), ErrorCode.UNKNOWN_LEADER_EPOCH)
  t.is(errorOf({ slot: 9 }), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  partition.goOffline()
  t.is(errorOf({}), ErrorCode.KAFKA_STORAGE_ERROR)
  t.deepEqual(command(partition, { kind: 'log-sizes', slots: [SLOT, 9] }), [-1, -1])
})

test('an epoch ends where the next begins, the present one at the log end', (t) => {
  const { partition } = bench()
  const endOf = (leaderEpoch: number, currentLeaderEpoch = -1) => {
    const partitions = [{ slot: SLOT, leaderEpoch, currentLeaderEpoch }]
    const end = command(partition, { kind: 'epoch-ends', partitions })[0]
    return end && [end.errorCode, end.leaderEpoch, end.endOffset]
  }
  t.deepEqual(endOf(EPOCH - 1), [ErrorCode.NONE, EPOCH - 1, 0])
  append(t, partition, [10, 20])
  partition.leaderEpoch = EPOCH + 2
  append(t, partition, [30])
  t.deepEqual(endOf(EPOCH - 1), [ErrorCode.NONE, EPOCH - 1, 0])
  t.deepEqual(endOf(EPOCH), [ErrorCode.NONE, EPOCH, 2])
  t.deepEqual(endOf(EPOCH + 1), [ErrorCode.NONE, EPOCH, 2])
  t.deepEqual(endOf(EPOCH + 2), [ErrorCode.NONE, EPOCH + 2, 3])
  t.deepEqual(endOf(EPOCH + 3), [ErrorCode.NONE, -1, -1])
  t.deepEqual(endOf(-1), [ErrorCode.NONE, -1, -1])
  t.deepEqual(endOf(EPOCH, EPOCH), [ErrorCode.FENCED_LEADER_EPOCH, -1, -1])
})

test('deleting records moves the start and wakes who waits', (t) => {
  const { partition, heard } = bench()
  append(t, partition, [10, 20, 30])
  const deletedTo = (offset: number) => {
    const partitions = [{ slot: SLOT, offset }]
    const result = command(partition, { kind: 'delete-records', partitions })[0]
    return result && [result.errorCode, result.lowWatermark]
  }
  heard.length = 0
  t.deepEqual(deletedTo(2), [ErrorCode.NONE, 2])
  t.deepEqual(heard, ['advanced'])
  t.deepEqual(deletedTo(1), [ErrorCode.NONE, 2])
  t.deepEqual(deletedTo(4), [ErrorCode.OFFSET_OUT_OF_RANGE, -1])
  t.deepEqual(deletedTo(-2), [ErrorCode.OFFSET_OUT_OF_RANGE, -1])
  t.deepEqual(deletedTo(-1), [ErrorCode.NONE, 3])
  partition.configure(topicConfig({ 'cleanup.policy': 'compact' }))
  t.deepEqual(deletedTo(0), [ErrorCode.POLICY_VIOLATION, -1])
  partition.configure(topicConfig({ 'cleanup.policy': '' }))
  t.deepEqual(deletedTo(0), [ErrorCode.NONE, 3])
})

test('producers are described with their open transaction', (t) => {
  const { partition } = bench()
  append(t, partition, [1])
  append(t, partition, [10, 15], { producerId: 7, sequence: 0 })
  const [described, unknown] = command(partition, { kind: 'describe-producers', slots: [SLOT, 9] })
  t.deepEqual(described?.producers, [
    {
      producerId: 7,
      producerEpoch: 0,
      lastSequence: 1,
      lastTimestamp: 15,
      coordinatorEpoch: -1,
      currentTxnStartOffset: 1,
    },
  ])
  t.is(unknown?.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
})

test('a disk that cannot be read takes the partition offline', (t) => {
  const { partition, heard, broken } = bench()
  append(t, partition, [10])
  broken.reads = true
  t.is(listed(partition, 5)?.errorCode, ErrorCode.KAFKA_STORAGE_ERROR)
  t.false(partition.online)
  t.true(heard.some((one) => one.startsWith('failed')))
})
