/** Produce: batches that are sound, that lie, and requests that ask for what is not there. */
import { ZERO_UUID } from '../../../src/base/uuid.ts'
import { Produce } from '../../../src/protocol/apis/00-produce.ts'
import { CodecId } from '../../../src/protocol/compression.ts'
import type { RequestInput } from '../../../src/protocol/schema.ts'
import { batchAround, batchOf, changed, recordsOf, T0 } from './batches.ts'
import { type Case, type CaseOptions, inAllVersions } from './case.ts'
import { idempotence, produceTo } from './producer-cases.ts'
import * as world from './world.ts'

type Body = RequestInput<typeof Produce>
type Maker = (version: number) => Buffer | null

/** All of Produce. */
export function produceCases(): Case[] {
  world.scenarioOf.length = 0
  return [
    ...soundBatches(),
    ...lyingHeaders(),
    ...lyingRecords(),
    ...idempotence(),
    ...otherTopics(),
    ...requests(),
    ...withoutAnswer(),
  ]
}

/** The batch alone, in a partition of its scenario. */
function alone(scenario: string, make: Maker, options: AloneOptions = {}): Case[] {
  const { topic = world.PLAIN, acks = -1, transactionalId = null, ...rest } = options
  const index = topic === world.PLAIN ? world.takePartition(scenario) : 0
  return inAllVersions(
    Produce,
    scenario,
    (side, version) => ({
      transactionalId,
      acks,
      timeoutMs: 10_000,
      topicData: [
        {
          name: topic,
          topicId: side.topicId(topic),
          partitionData: [{ index, records: make(version) }],
        },
      ],
    }),
    rest,
  )
}

interface AloneOptions extends CaseOptions {
  topic?: string
  acks?: number
  transactionalId?: string | null
}

function soundBatches(): Case[] {
  const one = { timestamp: T0 }
  const headers = [
    { key: 'a', value: Buffer.from('1') },
    { key: '', value: null },
  ]
  return [
    ...alone('one record', () => batchOf({ records: recordsOf(1) })),
    ...alone('a hundred records', () => batchOf({ records: recordsOf(100) })),
    ...alone('no key', () =>
      batchOf({ records: [{ ...one, key: null, value: Buffer.from('v') }] }),
    ),
    ...alone('no value', () => batchOf({ records: [{ ...one, key: Buffer.from('k') }] })),
    ...alone('neither key nor value', () => batchOf({ records: [one] })),
    ...alone('headers', () => batchOf({ records: [{ ...one, headers }] })),
    ...alone('gzip', () => batchOf({}, CodecId.gzip)),
    ...alone('snappy', () => batchOf({}, CodecId.snappy)),
    ...alone('lz4', () => batchOf({}, CodecId.lz4)),
    ...alone('zstd', () => batchOf({}, CodecId.zstd)),
    ...alone('acks 1', () => batchOf(), { acks: 1 }),
    ...alone('100 kB', () => batchOf({ records: recordsOf(1, 100_000) })),
    ...alone('no timestamp', () => batchOf({ records: [{ timestamp: -1 }] })),
    ...alone('no client id', () => batchOf(), { clientId: null }),
    ...alone('a leader epoch', () => batchOf({ partitionLeaderEpoch: 77 })),
  ]
}

function lyingHeaders(): Case[] {
  const pid = { producerId: 7_000_000, producerEpoch: 0 }
  return [
    ...alone('null', () => null, { since: 12, hangsKafka: true }),
    ...alone('no bytes', () => Buffer.alloc(0)),
    ...alone('20 bytes', () => batchOf().subarray(0, 20)),
    ...alone('60 bytes', () => batchOf().subarray(0, 60)),
    ...alone('61 bytes', () => batchOf().subarray(0, 61)),
    ...alone('the last byte missing', () => batchOf().subarray(0, -1)),
    ...alone('a byte too many', () => Buffer.concat([batchOf(), Buffer.from([0])])),
    ...alone('20 bytes too many', () => Buffer.concat([batchOf(), Buffer.alloc(20)])),
    ...alone('a wrong CRC', () => flipped(batchOf(), 17)),
    ...alone('a flipped record', () => flipped(batchOf(), 70)),
    ...alone('two batches', () => Buffer.concat([batchOf(), batchOf()])),
    ...[0, 1, 3, -1].flatMap((magic) =>
      alone(`magic ${magic}`, () => changed(batchOf(), (b) => void b.writeInt8(magic, 16))),
    ),
    ...[-1, 0, 13, 48, 49, 1_000_000, 0x7fffffff, -0x80000000].flatMap((length) =>
      alone(`batch length ${length}`, () => int32(batchOf(), 8, length)),
    ),
    ...alone('a base offset', () => batchOf({ baseOffset: 5 })),
    ...alone('a negative base offset', () => batchOf({ baseOffset: -1 })),
    ...[0, -1, 2, 4, 0x7fffffff].flatMap((count) =>
      alone(`count ${count} of 3`, () => int32(batchOf(), 57, count)),
    ),
    ...[-1, 0, 1, 3, 0x7fffffff].flatMap((delta) =>
      alone(`last offset delta ${delta} of 2`, () => int32(batchOf(), 23, delta)),
    ),
    ...alone('count and delta alike too high', () => int32(int32(batchOf(), 57, 5), 23, 4)),
    ...alone('count and delta alike too low', () => int32(int32(batchOf(), 57, 2), 23, 1)),
    ...alone('no records', () => batchAround(Buffer.alloc(0), 0)),
    ...alone('no records, delta 0', () => batchOf({ records: [], baseTimestamp: T0 })),
    ...alone('control', () => batchOf({ attributes: 0x20 })),
    ...alone('control and transactional', () =>
      batchOf({ attributes: 0x30, ...pid, baseSequence: 0 }),
    ),
    ...alone('log append time', () => batchOf({ attributes: 0x08 })),
    ...alone('delete horizon', () => batchOf({ attributes: 0x40 })),
    ...alone('reserved attributes', () => batchOf({ attributes: 0x0180 })),
    ...alone('transactional without an id', () =>
      batchOf({ attributes: 0x10, ...pid, baseSequence: 0 }),
    ),
    ...alone('transactional without a producer', () => batchOf({ attributes: 0x10 }), {
      transactionalId: 'nobody',
    }),
    ...alone('a wrong maximum of time', () => batchOf({ maxTimestamp: T0 + 99_000 })),
    ...alone('a maximum of time of -1', () => batchOf({ maxTimestamp: -1 })),
    ...alone('a time of -5', () => batchOf({ records: [{ timestamp: -5 }] })),
    ...alone('two hours ahead', () => batchOf({ records: [{ timestamp: Date.now() + 7200_000 }] })),
    ...alone('half an hour ahead', () => batchOf({ records: [{ timestamp: T0 + 12_600_000 }] })),
    ...alone('1970', () => batchOf({ records: [{ timestamp: 1 }] })),
  ]
}

function lyingRecords(): Case[] {
  const garbage = Buffer.from('this was never compressed by anything')
  const gap = () => ({
    records: [{ timestamp: T0 }, { timestamp: T0, offsetDelta: 3 }],
    lastOffsetDelta: 1,
  })
  const twice = () => ({
    records: [{ timestamp: T0 }, { timestamp: T0, offsetDelta: 0 }],
    lastOffsetDelta: 1,
  })
  const names = ['plain', 'gzip', 'snappy', 'lz4', 'zstd']
  return [
    ...[1, 2, 3, 4, 5, 6, 7].flatMap((codec) =>
      alone(`garbage for codec ${codec}`, () => batchAround(garbage, 1, codec), {
        since: codec === CodecId.zstd ? 7 : 0,
      }),
    ),
    ...names.flatMap((name, codec) => [
      ...alone(`${name}: a gap of offsets`, () => batchOf(gap(), codec)),
      ...alone(`${name}: an offset twice`, () => batchOf(twice(), codec)),
    ]),
    ...[1, 4].flatMap((codec) => [
      ...alone(`${names[codec]}: count too high`, () =>
        int32(int32(batchOf({}, codec), 57, 5), 23, 4),
      ),
      ...alone(`${names[codec]}: count too low`, () =>
        int32(int32(batchOf({}, codec), 57, 2), 23, 1),
      ),
      ...alone(`${names[codec]}: two hours ahead`, () =>
        batchOf({ records: [{ timestamp: Date.now() + 7200_000 }] }, codec),
      ),
    ]),
    // length, attributes, time delta, offset delta, key length, value length, headers
    ...alone('a record of length -1', () => batchAround(Buffer.from([1, 0, 0, 0, 1, 1, 0]), 1)),
    ...alone('a record that is too long', () =>
      batchAround(Buffer.from([0x7e, 0, 0, 0, 1, 1, 0]), 1),
    ),
    ...alone('a record that is too short', () =>
      batchAround(Buffer.from([8, 0, 0, 0, 1, 1, 0]), 1),
    ),
    ...alone('a key beyond its record', () =>
      batchAround(Buffer.from([12, 0, 0, 0, 0x40, 1, 0]), 1),
    ),
    ...alone('a key of length -2', () => batchAround(Buffer.from([12, 0, 0, 0, 3, 1, 0]), 1)),
    ...alone('-1 headers', () => batchAround(Buffer.from([12, 0, 0, 0, 1, 1, 1]), 1)),
    ...alone('30 headers that are not there', () =>
      batchAround(Buffer.from([12, 0, 0, 0, 1, 1, 60]), 1),
    ),
    ...alone('a header without a key', () =>
      batchAround(Buffer.from([16, 0, 0, 0, 1, 1, 2, 1, 1]), 1),
    ),
    ...alone('attributes of a record', () => batchAround(Buffer.from([12, 5, 0, 0, 1, 1, 0]), 1)),
    ...alone('a varint without end', () => batchAround(Buffer.alloc(12, 0xff), 1)),
  ]
}

function otherTopics(): Case[] {
  const keyless = () => [{ timestamp: T0, key: null }]
  const mixed = () => [...recordsOf(2), { timestamp: T0, key: null }]
  const codecs = [CodecId.gzip, CodecId.lz4]
  return [
    ...alone('compacted with keys', () => batchOf(), { topic: world.COMPACTED }),
    ...alone('compacted without a key', () => batchOf({ records: keyless() }), {
      topic: world.COMPACTED,
    }),
    ...alone('compacted, one key missing', () => batchOf({ records: mixed() }), {
      topic: world.COMPACTED,
    }),
    ...codecs.flatMap((codec) =>
      alone(
        `compacted, codec ${codec}, one key missing`,
        () => batchOf({ records: mixed() }, codec),
        {
          topic: world.COMPACTED,
        },
      ),
    ),
    ...alone('append time', () => batchOf(), { topic: world.APPEND_TIME }),
    ...alone('append time, gzip', () => batchOf({}, CodecId.gzip), { topic: world.APPEND_TIME }),
    ...alone(
      'append time, two hours ahead',
      () => batchOf({ records: [{ timestamp: T0 + 20_000_000 }] }),
      {
        topic: world.APPEND_TIME,
      },
    ),
    ...alone('to be gzipped', () => batchOf(), { topic: world.GZIPPED }),
    ...alone('from lz4 to gzip', () => batchOf({}, CodecId.lz4), { topic: world.GZIPPED }),
    ...alone('from gzip to gzip', () => batchOf({}, CodecId.gzip), { topic: world.GZIPPED }),
    ...alone('from zstd to plain', () => batchOf({}, CodecId.zstd), {
      topic: world.UNPACKED,
      since: 7,
    }),
    ...alone(
      'as large as may be',
      () => batchOf({ records: [{ timestamp: T0, value: Buffer.alloc(1930) }] }),
      {
        topic: world.SMALL,
      },
    ),
    ...alone(
      'too large',
      () => batchOf({ records: [{ timestamp: T0, value: Buffer.alloc(1990) }] }),
      {
        topic: world.SMALL,
      },
    ),
    ...alone('too large and wrong', () => flipped(batchOf({ records: recordsOf(1, 2500) }), 17), {
      topic: world.SMALL,
    }),
    ...alone(
      'small when compressed',
      () => batchOf({ records: [{ timestamp: T0, value: Buffer.alloc(9000) }] }, 1),
      {
        topic: world.SMALL,
      },
    ),
    ...alone('no such topic', () => batchOf(), { topic: 'nowhere' }),
    ...alone('a topic without name', () => batchOf(), { topic: '' }),
    ...alone('a topic that cannot be', () => batchOf(), { topic: 'a/b' }),
  ]
}

function requests(): Case[] {
  const a = world.takePartition('requests, the first')
  const b = world.takePartition('requests, the second')
  const send = (scenario: string, change: (body: Body) => Body, options: CaseOptions = {}) =>
    inAllVersions(
      Produce,
      scenario,
      (side) =>
        change(
          produceTo(side.topicId(world.PLAIN), world.PLAIN, [{ index: a, records: batchOf() }]),
        ),
      options,
    )
  const partitions =
    (...partitionData: { index: number; records: Buffer | null }[]) =>
    (body: Body) => ({
      ...body,
      topicData: body.topicData!.map((one) => ({ ...one, partitionData })),
    })
  return [
    ...[2, -2, 32767].flatMap((acks) => send(`acks ${acks}`, (body) => ({ ...body, acks }))),
    ...[-1, 0, 1].flatMap((timeoutMs) =>
      send(`timeout ${timeoutMs}`, (body) => ({ ...body, timeoutMs })),
    ),
    ...send('an id without a transaction', (body) => ({ ...body, transactionalId: 'nobody' })),
    ...send('no topics', (body) => ({ ...body, topicData: [] })),
    ...send('no partitions', partitions()),
    ...send('partition 999', partitions({ index: 999, records: batchOf() })),
    ...send('partition -1', partitions({ index: -1, records: batchOf() })),
    ...send(
      'one good, one bad',
      partitions({ index: a, records: batchOf() }, { index: b, records: flipped(batchOf(), 17) }),
    ),
    ...send(
      'one good, one unknown',
      partitions({ index: a, records: batchOf() }, { index: 999, records: batchOf() }),
    ),
    ...send(
      'two partitions',
      partitions({ index: b, records: batchOf() }, { index: a, records: batchOf() }),
    ),
    ...send(
      'a partition twice',
      partitions({ index: b, records: batchOf() }, { index: b, records: batchOf() }),
    ),
    ...send('a topic twice', (body) => ({
      ...body,
      topicData: [...body.topicData!, ...body.topicData!],
    })),
    ...send(
      'the zero id',
      (body) => ({
        ...body,
        topicData: body.topicData!.map((one) => ({ ...one, topicId: ZERO_UUID })),
      }),
      { since: 13 },
    ),
  ]
}

function withoutAnswer(): Case[] {
  const silent = { acks: 0, silent: true }
  return [
    ...alone('acks 0', () => batchOf(), silent),
    ...alone('acks 0, a wrong CRC', () => flipped(batchOf(), 17), silent),
    ...alone('acks 0, no such topic', () => batchOf(), { ...silent, topic: 'nowhere' }),
  ]
}

function flipped(batch: Buffer, at: number): Buffer {
  batch[at] = (batch[at] as number) ^ 0xff
  return batch
}

/** A wrong number at `at`; the CRC is made right again where it covers that. */
function int32(batch: Buffer, at: number, value: number): Buffer {
  return changed(batch, (b) => void b.writeInt32BE(value, at))
}
