/** Fetch: reading what is there and asking for what is not, with and without sessions. */
import { ZERO_UUID } from '../../../src/base/uuid.ts'
import { Fetch } from '../../../src/protocol/apis/01-fetch.ts'
import type { RequestInput, ResponseOf } from '../../../src/protocol/schema.ts'
import { type Case, type CaseOptions, inAllVersions, randomOf } from './case.ts'
import type { Side } from './side.ts'
import * as world from './world.ts'

type Body = RequestInput<typeof Fetch>
type Topic = NonNullable<Body['topics']>[number]
type Partition = NonNullable<Topic['partitions']>[number]

const UNKNOWN_ID = 'MTIzNDU2Nzg5MGFiY2RlZg'
const SEED = 20_260_101

/** All of Fetch; Produce has to be done. */
export function fetchCases(): Case[] {
  return [
    ...readBack(),
    ...offsets(),
    ...limits(),
    ...targets(),
    ...epochs(),
    ...sessions(),
    ...atRandom(),
  ]
}

/** A whole request for some partitions of FILLED, not waiting. */
function fetchOf(side: Side, partitions: readonly Partition[], change: Body = {}): Body {
  return {
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 10_000_000,
    topics: [{ ...world.topicIn(side, world.FILLED), partitions: partitions.map(withLimit) }],
    ...change,
  }
}

function withLimit(partition: Partition): Partition {
  return { partitionMaxBytes: 1_000_000, ...partition }
}

function read(
  scenario: string,
  partitions: readonly Partition[],
  change: Body = {},
  options: CaseOptions = {},
) {
  return inAllVersions(Fetch, scenario, (side) => fetchOf(side, partitions, change), options)
}

/** What all the scenarios of Produce left behind. */
function readBack(): Case[] {
  const topics: [string, number, string][] = [
    ...world.scenarioOf.map((scenario, i): [string, number, string] => [world.PLAIN, i, scenario]),
    [world.COMPACTED, 0, world.COMPACTED],
    [world.APPEND_TIME, 0, world.APPEND_TIME],
    [world.GZIPPED, 0, world.GZIPPED],
    [world.UNPACKED, 0, world.UNPACKED],
    [world.SMALL, 0, world.SMALL],
  ]
  return topics.flatMap(([topic, partition, scenario]) =>
    inAllVersions(
      Fetch,
      `reading back: ${scenario}`,
      (side) => ({
        ...fetchOf(side, []),
        topics: [
          { ...world.topicIn(side, topic), partitions: [withLimit({ partition, fetchOffset: 0 })] },
        ],
      }),
      { since: 17 },
    ),
  )
}

function offsets(): Case[] {
  const { empty, even, cut, emptied } = world.PLACES
  const at = (partition: number, fetchOffset: number) => ({ partition, fetchOffset })
  return [
    ...read('the beginning', [at(even, 0)]),
    ...read('the middle of a batch', [at(even, 47)]),
    ...read('the last record', [at(even, 99)]),
    ...read('the end', [at(even, 100)]),
    ...read('beyond the end', [at(even, 101)]),
    ...read('offset -1', [at(even, -1)]),
    ...read('an empty partition', [at(empty, 0)]),
    ...read('offset 1 of an empty partition', [at(empty, 1)]),
    ...read('below the start', [at(cut, 34)]),
    ...read('at the start', [at(cut, 35)]),
    ...read('all deleted, offset 0', [at(emptied, 0)]),
    ...read('all deleted, the end', [at(emptied, 100)]),
    ...read('packed batches', [at(world.PLACES.packed, 0)]),
    ...read('batches of producers', [at(world.PLACES.idempotent, 0)]),
    ...read('read committed', [at(even, 90)], { isolationLevel: 1 }),
    ...read('read committed, beyond the end', [at(even, 101)], { isolationLevel: 1 }),
    ...read('isolation level 7', [at(even, 90)], { isolationLevel: 7 }),
    ...read(
      'all partitions',
      Object.values(world.PLACES).map((one) => at(one, 0)),
    ),
  ]
}

function limits(): Case[] {
  const { even, large } = world.PLACES
  const start = (partition: number, partitionMaxBytes: number) => ({
    partition,
    fetchOffset: 0,
    partitionMaxBytes,
  })
  const both = [start(large, 1_000_000), start(even, 1_000_000)]
  return [
    ...[0, 1, -1, 100, 1000, 0x7fffffff].flatMap((bytes) => [
      ...read(`partition limit ${bytes}`, [start(even, bytes)]),
      ...read(`limit ${bytes}`, both, { maxBytes: bytes }),
    ]),
    ...read('a first partition that has no room', [start(large, 10), start(even, 10)]),
    ...read('a limit for one of two', both, { maxBytes: 61_000 }),
    ...read('no least bytes', [start(world.PLACES.empty, 1000)], { minBytes: 0, maxWaitMs: 100 }),
    ...read('negative least bytes', [start(world.PLACES.empty, 1000)], {
      minBytes: -1,
      maxWaitMs: 100,
    }),
    ...read('a negative wait', [start(world.PLACES.empty, 1000)], { maxWaitMs: -5 }),
    ...read('waiting for nothing', [start(world.PLACES.empty, 1000)], { maxWaitMs: 5 }),
    ...read('waiting for more than there is', [start(even, 1_000_000)], {
      maxWaitMs: 5,
      minBytes: 9_000_000,
    }),
  ]
}

function targets(): Case[] {
  const { even } = world.PLACES
  const one = withLimit({ partition: even, fetchOffset: 0 })
  const of = (scenario: string, topics: (side: Side) => Topic[], options: CaseOptions = {}) =>
    inAllVersions(
      Fetch,
      scenario,
      (side) => ({ ...fetchOf(side, []), topics: topics(side) }),
      options,
    )
  const filled = (side: Side) => world.topicIn(side, world.FILLED)
  return [
    ...of('no topics', () => []),
    ...of('no partitions', (side) => [{ ...filled(side), partitions: [] }]),
    ...of('no such topic', () => [{ topic: 'nowhere', topicId: UNKNOWN_ID, partitions: [one] }]),
    ...of('the zero id', () => [{ topic: '', topicId: ZERO_UUID, partitions: [one] }]),
    ...of('a topic twice', (side) => [
      { ...filled(side), partitions: [one] },
      { ...filled(side), partitions: [one] },
    ]),
    ...of('good and unknown', (side) => [
      { ...filled(side), partitions: [one] },
      { topic: 'nowhere', topicId: UNKNOWN_ID, partitions: [one] },
    ]),
    ...read('partition 99', [{ partition: 99, fetchOffset: 0 }]),
    ...read('partition -1', [{ partition: -1, fetchOffset: 0 }]),
    ...read('a partition twice', [
      { partition: even, fetchOffset: 0 },
      { partition: even, fetchOffset: 50 },
    ]),
    ...read('good and beyond', [
      { partition: even, fetchOffset: 0 },
      { partition: world.PLACES.cut, fetchOffset: 500 },
    ]),
    ...read('a rack', [{ partition: even, fetchOffset: 95 }], { rackId: 'somewhere' }),
    ...[0, 1, 5].flatMap((replicaId) => [
      ...read(
        `replica ${replicaId}`,
        [{ partition: even, fetchOffset: 95 }],
        { replicaId },
        { until: 14 },
      ),
      ...read(
        `replica ${replicaId} by its state`,
        [{ partition: even, fetchOffset: 95 }],
        { replicaState: { replicaId, replicaEpoch: -1 } },
        { since: 15 },
      ),
    ]),
    ...read(
      'the debugging consumer',
      [{ partition: even, fetchOffset: 95 }],
      { replicaId: -2 },
      { until: 14 },
    ),
  ]
}

function epochs(): Case[] {
  const { even, empty } = world.PLACES
  return [
    ...[0, 1, 5, -1, -2].flatMap((currentLeaderEpoch) =>
      read(`current leader epoch ${currentLeaderEpoch}`, [
        { partition: even, fetchOffset: 90, currentLeaderEpoch },
      ]),
    ),
    ...[0, 1, 5, -1].flatMap((lastFetchedEpoch) => [
      ...read(`last fetched epoch ${lastFetchedEpoch}`, [
        { partition: even, fetchOffset: 90, lastFetchedEpoch },
      ]),
      ...read(`last fetched epoch ${lastFetchedEpoch} beyond the end`, [
        { partition: even, fetchOffset: 900, lastFetchedEpoch },
      ]),
      ...read(`last fetched epoch ${lastFetchedEpoch} of an empty partition`, [
        { partition: empty, fetchOffset: 0, lastFetchedEpoch },
      ]),
    ]),
  ]
}

/** Steps of sessions; the steps of one version follow each other. */
function sessions(): Case[] {
  const { even, cut, empty } = world.PLACES
  const learn = (side: Side, answer: ResponseOf<typeof Fetch>) => {
    side.sessionId = answer.sessionId
  }
  type Step = [name: string, body: (side: Side) => Body, learns?: boolean]
  const inSession = (
    side: Side,
    sessionEpoch: number,
    partitions: readonly Partition[],
    change: Body = {},
  ) => {
    const topics = partitions.length === 0 ? [] : fetchOf(side, partitions).topics!
    return { ...fetchOf(side, []), topics, sessionId: side.sessionId, sessionEpoch, ...change }
  }
  const all = [even, cut, empty].map((partition) => ({
    partition,
    fetchOffset: partition === cut ? 35 : 0,
  }))
  const atEnd = [
    { partition: even, fetchOffset: 100 },
    { partition: cut, fetchOffset: 100 },
  ]
  const forgotten = (side: Side, partitions: number[]) => ({
    forgottenTopicsData: [{ ...world.topicIn(side, world.FILLED), partitions }],
  })
  const steps: Step[] = [
    ['no session', (side) => fetchOf(side, all, { sessionId: 0, sessionEpoch: -1 })],
    ['unknown session', (side) => fetchOf(side, all, { sessionId: 123_456, sessionEpoch: 3 })],
    [
      'unknown session, first epoch',
      (side) => fetchOf(side, all, { sessionId: 123_456, sessionEpoch: 0 }),
      true,
    ],
    ['no session, epoch 5', (side) => fetchOf(side, all, { sessionId: 0, sessionEpoch: 5 })],
    ['opening', (side) => fetchOf(side, all, { sessionId: 0, sessionEpoch: 0 }), true],
    ['nothing new to ask', (side) => inSession(side, 1, [])],
    ['all at their end', (side) => inSession(side, 2, atEnd)],
    ['nothing to tell', (side) => inSession(side, 3, [])],
    ['a wrong epoch', (side) => inSession(side, 9, [])],
    ['an old epoch', (side) => inSession(side, 2, [])],
    ['one forgotten', (side) => inSession(side, 4, [], forgotten(side, [cut]))],
    ['one unknown', (side) => inSession(side, 5, [{ partition: 99, fetchOffset: 0 }])],
    ['still unknown', (side) => inSession(side, 6, [])],
    ['one beyond its end', (side) => inSession(side, 7, [{ partition: even, fetchOffset: 200 }])],
    ['still beyond its end', (side) => inSession(side, 8, [])],
    ['all forgotten', (side) => inSession(side, 9, [], forgotten(side, [even, empty, 99]))],
    ['after all were forgotten', (side) => inSession(side, 10, [])],
    ['opening again', (side) => fetchOf(side, all, { sessionId: 0, sessionEpoch: 0 }), true],
    ['replacing', (side) => inSession(side, 0, all), true],
    ['closing', (side) => inSession(side, -1, all)],
    ['after closing', (side) => inSession(side, 1, [])],
    [
      'opening with nothing',
      (side) => fetchOf(side, [], { sessionId: 0, sessionEpoch: 0, topics: [] }),
    ],
  ]
  const cases = steps.map(([name, body, learns]) =>
    inAllVersions(Fetch, `session: ${name}`, body, { since: 7, ...(learns ? { learn } : {}) }),
  )
  return (cases[0] ?? []).flatMap((_, place) => cases.map((one) => one[place] as Case))
}

/** Partitions, offsets and limits as they come. */
function atRandom(): Case[] {
  const random = randomOf(SEED)
  const below = (limit: number) => Math.floor(random() * limit)
  return Array.from({ length: 10 }, (_, n) => {
    const partitions = Array.from({ length: 1 + below(4) }, (_, i) => ({
      partition: (i * 2 + below(2)) % (world.FILLED_PARTITIONS + 1),
      fetchOffset: below(110),
      partitionMaxBytes: below(3000),
    }))
    return read(`at random ${n}`, partitions, { maxBytes: below(6000), isolationLevel: below(2) })
  }).flat()
}
