/** ListOffsets, OffsetForLeaderEpoch, DeleteRecords, DescribeProducers, InitProducerId. */
import { ListOffsets } from '../../../src/protocol/apis/02-list-offsets.ts'
import { DeleteRecords } from '../../../src/protocol/apis/21-delete-records.ts'
import { InitProducerId } from '../../../src/protocol/apis/22-init-producer-id.ts'
import { OffsetForLeaderEpoch } from '../../../src/protocol/apis/23-offset-for-leader-epoch.ts'
import { DescribeProducers } from '../../../src/protocol/apis/61-describe-producers.ts'
import { T0 } from './batches.ts'
import { type Case, type CaseOptions, inAllVersions } from './case.ts'
import * as world from './world.ts'

const { empty, even, cut, unordered, packed, emptied, idempotent } = world.PLACES

/** All of these APIs. */
export function offsetCases(): Case[] {
  return [...listOffsets(), ...epochEnds(), ...producers(), ...deletions()]
}

function listOffsets(): Case[] {
  const list = (
    scenario: string,
    partitions: { partitionIndex: number; timestamp: number; currentLeaderEpoch?: number }[],
    { name = world.FILLED, isolationLevel = 0, replicaId = -1, ...options }: ListOptions = {},
  ) =>
    inAllVersions(
      ListOffsets,
      scenario,
      (_, version) => ({
        replicaId,
        ...(version >= 2 ? { isolationLevel } : {}),
        topics: [{ name, partitions }],
      }),
      options,
    )
  const one = (timestamp: number, partitionIndex: number = even) => [{ partitionIndex, timestamp }]
  const everywhere = (timestamp: number) =>
    Object.values(world.PLACES).flatMap((place) => one(timestamp, place))
  return [
    ...[-1, -2, -3, -4, -5, -6, -7, -100].flatMap((special) =>
      list(`special ${special}`, everywhere(special)),
    ),
    ...[0, 47, 99].flatMap((seconds) => list(`second ${seconds}`, everywhere(T0 + seconds * 1000))),
    ...list('between two records', one(T0 + 46_500)),
    ...list('before all', everywhere(0)),
    ...list('after all', everywhere(T0 + 1000_000)),
    ...[10, 11, 31, 52, 56, 91, 94, 95].flatMap((seconds) =>
      list(`out of order, second ${seconds}`, one(T0 + seconds * 1000, unordered)),
    ),
    ...[1, 2, 4].flatMap((seconds) =>
      list(`packed, second ${seconds}`, one(T0 + seconds * 1000, packed)),
    ),
    ...list('read committed', everywhere(-1), { isolationLevel: 1 }),
    ...list('isolation level 9', one(-1), { isolationLevel: 9, since: 2 }),
    ...list('no such topic', one(-1), { name: 'nowhere' }),
    ...list('no such partition', one(-1, 99)),
    ...list('partition -1', one(-1, -1)),
    ...list('a partition twice', [...one(-1), ...one(-2)]),
    ...list('a partition twice, another once', [...one(-1), ...one(-2), ...one(-1, cut)]),
    ...list('no partitions', []),
    ...list('replica 1', one(-1), { replicaId: 1 }),
    ...list('replica 5', one(-1), { replicaId: 5 }),
    ...list('the debugging replica', one(-1), { replicaId: -2 }),
    ...[0, 1, -1].flatMap((currentLeaderEpoch) =>
      list(
        `leader epoch ${currentLeaderEpoch}`,
        [{ partitionIndex: even, timestamp: -1, currentLeaderEpoch }],
        {
          since: 4,
        },
      ),
    ),
    // Not -3: which of two batches is the latest depends on whether they came in one millisecond.
    ...list('append time, first', one(T0, 0), { name: world.APPEND_TIME }),
  ]
}

interface ListOptions extends CaseOptions {
  name?: string
  isolationLevel?: number
  replicaId?: number
}

function epochEnds(): Case[] {
  const ask = (
    scenario: string,
    partition: number,
    leaderEpoch: number,
    currentLeaderEpoch = -1,
    topic = world.FILLED as string,
  ) =>
    inAllVersions(OffsetForLeaderEpoch, scenario, () => ({
      replicaId: -1,
      topics: [{ topic, partitions: [{ partition, leaderEpoch, currentLeaderEpoch }] }],
    }))
  return [
    ...[-1, 0, 1, 100, -5].flatMap((epoch) => [
      ...ask(`epoch ${epoch}`, even, epoch),
      ...ask(`epoch ${epoch} of a cut log`, cut, epoch),
      ...ask(`epoch ${epoch} of an empty log`, empty, epoch),
      ...ask(`epoch ${epoch} of an emptied log`, emptied, epoch),
    ]),
    ...[0, 1, 9].flatMap((current) => ask(`current epoch ${current}`, even, 0, current)),
    ...ask('no such partition', 99, 0),
    ...ask('no such topic', 0, 0, -1, 'nowhere'),
  ]
}

function producers(): Case[] {
  const describe = (scenario: string, name: string, partitionIndexes: number[]) =>
    inAllVersions(DescribeProducers, scenario, () => ({ topics: [{ name, partitionIndexes }] }))
  return [
    ...describe('producers', world.FILLED, [idempotent]),
    ...describe('no producers', world.FILLED, [even, empty]),
    ...describe('no such partition', world.FILLED, [99, -1, idempotent]),
    ...describe('no such topic', 'nowhere', [0]),
    ...describe('an impossible topic', 'a/b', [0]),
    ...describe('a partition twice', world.FILLED, [idempotent, idempotent]),
    ...describe('no partitions', world.FILLED, []),
    ...describe(
      'those of the scenarios',
      world.PLAIN,
      Array.from({ length: world.PLAIN_PARTITIONS }, (_, i) => i),
    ),
    ...inAllVersions(DescribeProducers, 'no topics', () => ({ topics: [] })),
  ]
}

/** Deletes from partitions that nobody reads later. */
function deletions(): Case[] {
  const remove = (
    scenario: string,
    name: string,
    partitions: { partitionIndex: number; offset: number }[],
  ) =>
    inAllVersions(DeleteRecords, scenario, () => ({
      topics: [{ name, partitions }],
      timeoutMs: 10_000,
    }))
  const one = (offset: number, partitionIndex: number = even) => [{ partitionIndex, offset }]
  return [
    ...remove('offset 0', world.FILLED, one(0)),
    ...remove('into a batch', world.FILLED, one(15)),
    ...remove('below the start', world.FILLED, one(3)),
    ...remove('the same again', world.FILLED, one(15)),
    ...remove('beyond the end', world.FILLED, one(101)),
    ...remove('offset -2', world.FILLED, one(-2)),
    ...remove('an empty partition', world.FILLED, one(-1, empty)),
    ...remove('compacted', world.COMPACTED, one(1, 0)),
    ...remove('no such topic', 'nowhere', one(0)),
    ...remove('an impossible topic', '', one(0)),
    ...remove('no such partition', world.FILLED, one(0, 99)),
    ...remove('partition -1', world.FILLED, one(0, -1)),
    ...remove('a partition twice', world.FILLED, [...one(20), ...one(25)]),
    ...remove('no partitions', world.FILLED, []),
    ...remove('all', world.FILLED, one(-1)),
    ...inAllVersions(DeleteRecords, 'no topics', () => ({ topics: [], timeoutMs: 10_000 })),
  ]
}

/** InitProducerId comes late: asking for a transaction makes Kafka create a topic. */
export function producerIdCases(): Case[] {
  const init = (
    scenario: string,
    transactionalId: string | null,
    transactionTimeoutMs: number,
    claim: { producerId?: number; producerEpoch?: number } = {},
  ) =>
    inAllVersions(InitProducerId, scenario, (_, version) => ({
      transactionalId,
      transactionTimeoutMs,
      ...(version >= 3 ? claim : {}),
    }))
  return [
    ...init('idempotent', null, 60_000),
    ...init('idempotent, no timeout', null, 0),
    ...init('idempotent, a negative timeout', null, -1),
    ...init('idempotent, an epoch to go on', null, 60_000, { producerId: 5, producerEpoch: 0 }),
    ...init('an id without an epoch', null, 60_000, { producerId: 5, producerEpoch: -1 }),
    ...init('an epoch without an id', null, 60_000, { producerId: -1, producerEpoch: 3 }),
    ...init('an empty transactional id', '', 60_000),
    ...init('a transaction that takes no time', 'nobody', 0),
    ...init('a transaction that takes too long', 'nobody', 0x7fffffff),
  ]
}
