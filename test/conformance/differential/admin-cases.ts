/** Topics created, grown, deleted; settings described and altered. */
import { ZERO_UUID } from '../../../src/base/uuid.ts'
import { CreateTopics } from '../../../src/protocol/apis/19-create-topics.ts'
import { DeleteTopics } from '../../../src/protocol/apis/20-delete-topics.ts'
import { DeleteRecords } from '../../../src/protocol/apis/21-delete-records.ts'
import { CreatePartitions } from '../../../src/protocol/apis/37-create-partitions.ts'
import { ElectLeaders } from '../../../src/protocol/apis/43-elect-leaders.ts'
import { AlterPartitionReassignments } from '../../../src/protocol/apis/45-alter-partition-reassignments.ts'
import { ListPartitionReassignments } from '../../../src/protocol/apis/46-list-partition-reassignments.ts'
import type { RequestInput } from '../../../src/protocol/schema.ts'
import { type Case, type CaseOptions, inAllVersions } from './case.ts'
import type { Side } from './side.ts'
import * as world from './world.ts'

const UNKNOWN_ID = 'MTIzNDU2Nzg5MGFiY2RlZg'

type NewTopic = NonNullable<RequestInput<typeof CreateTopics>['topics']>[number]

/** All of these APIs but those of settings. */
export function adminCases(): Case[] {
  return [...creations(), ...growth(), ...deletions(), ...timeouts()]
}

function create(
  scenario: string,
  topics: (name: string) => NewTopic[],
  options: CaseOptions & { validateOnly?: boolean } = {},
): Case[] {
  const { validateOnly = false, ...rest } = options
  return inAllVersions(
    CreateTopics,
    scenario,
    (_, version) => ({
      topics: topics(`${scenario.replaceAll(/\W+/g, '-')}-${version}`),
      timeoutMs: 10_000,
      validateOnly,
    }),
    rest,
  )
}

function creations(): Case[] {
  const refused = (scenario: string, topic: Partial<NewTopic>, options: CaseOptions = {}) =>
    create(
      scenario,
      (name) => [{ name, numPartitions: 1, replicationFactor: 1, ...topic }],
      options,
    )
  const assigned = (...assignments: [number, number[]][]) => ({
    numPartitions: -1,
    replicationFactor: -1,
    assignments: assignments.map(([partitionIndex, brokerIds]) => ({ partitionIndex, brokerIds })),
  })
  const changesMetadata = true
  return [
    ...refused('a topic', { numPartitions: 2 }, { changesMetadata }),
    ...refused('defaults', { numPartitions: -1, replicationFactor: -1 }, { changesMetadata }),
    ...refused('an assignment', assigned([0, [1]], [1, [1]]), { changesMetadata }),
    ...refused(
      'settings',
      {
        configs: [
          { name: 'retention.ms', value: '60000' },
          { name: 'cleanup.policy', value: 'compact,delete' },
        ],
      },
      { changesMetadata },
    ),
    ...create('only checked', (name) => [{ name, numPartitions: 3, replicationFactor: 1 }], {
      validateOnly: true,
    }),
    ...create('only checked, bad', (name) => [{ name, numPartitions: 0, replicationFactor: 1 }], {
      validateOnly: true,
    }),
    ...[0, -2, -100].flatMap((numPartitions) =>
      refused(`partitions ${numPartitions}`, { numPartitions }),
    ),
    ...refused('10001 partitions', { numPartitions: 10_001 }),
    ...[0, -2, 2, 32767].flatMap((replicationFactor) =>
      refused(`factor ${replicationFactor}`, { replicationFactor }),
    ),
    ...['', '.', '..', 'a b', 'a/b', 'ü', 'x'.repeat(250), '__cluster_metadata'].flatMap((name) =>
      refused(`name ${name.slice(0, 20)} of ${name.length}`, { name }),
    ),
    ...refused('there already', { name: world.FILLED }),
    ...refused(
      'collides',
      { name: world.APPEND_TIME.replace('-', '.') },
      { until: 2, changesMetadata },
    ),
    ...refused('collides now', { name: 'append_time' }),
    ...create('twice', (name) => [
      { name, numPartitions: 1, replicationFactor: 1 },
      { name, numPartitions: 2, replicationFactor: 1 },
    ]),
    ...create('none', () => []),
    ...create(
      'good and bad',
      (name) => [
        { name, numPartitions: 1, replicationFactor: 1 },
        { name: `${name}-bad`, numPartitions: 1, replicationFactor: 9 },
      ],
      { changesMetadata },
    ),
    ...refused('assignment and count', { ...assigned([0, [1]]), numPartitions: 1 }),
    ...refused('assignment and factor', { ...assigned([0, [1]]), replicationFactor: 1 }),
    ...refused('assignment with a gap', assigned([0, [1]], [2, [1]])),
    ...refused('assignment not from 0', assigned([1, [1]])),
    ...refused('assignment to a stranger', assigned([0, [77]])),
    ...refused('assignment to one twice', assigned([0, [1, 1]])),
    ...refused('assignment to nobody', assigned([0, []])),
    ...refused('assignment of a partition twice', assigned([0, [1]], [0, [1]])),
    ...badConfigs().flatMap(([scenario, configs]) => refused(scenario, { configs })),
  ]
}

/** Settings that no topic may have, or just may. */
export function badConfigs(): [string, { name: string; value: string | null }[]][] {
  const values: [string, string | null][] = [
    ['no.such.setting', '1'],
    ['', '1'],
    ['retention.ms', null],
    ['retention.ms', ''],
    ['retention.ms', 'x'],
    ['retention.ms', '1e3'],
    ['retention.ms', '1.5'],
    ['retention.ms', '-2'],
    ['retention.ms', '99999999999999999999'],
    ['segment.bytes', '1'],
    ['segment.bytes', '1048575'],
    ['segment.bytes', '2147483648'],
    ['cleanup.policy', 'shred'],
    ['cleanup.policy', 'delete,shred'],
    ['compression.type', 'brotli'],
    ['compression.type', 'GZIP'],
    ['compression.gzip.level', '10'],
    ['compression.gzip.level', '0'],
    ['min.insync.replicas', '0'],
    ['max.message.bytes', '-1'],
    ['message.timestamp.type', 'Whenever'],
    ['preallocate', 'maybe'],
    ['min.cleanable.dirty.ratio', '1.1'],
    ['message.format.version', '2.0'],
    ['message.downconversion.enable', 'true'],
    ['remote.storage.enable', 'true'],
    ['leader.replication.throttled.replicas', 'x'],
    ['unclean.leader.election.enable', 'yes'],
  ]
  return [
    ...values.map(([name, value]): [string, { name: string; value: string | null }[]] => [
      `${name} = ${value}`,
      [{ name, value }],
    ]),
    [
      'min above max lag',
      [
        { name: 'min.compaction.lag.ms', value: '100' },
        { name: 'max.compaction.lag.ms', value: '50' },
      ],
    ],
    [
      'a setting twice',
      [
        { name: 'retention.ms', value: '1000' },
        { name: 'retention.ms', value: 'x' },
      ],
    ],
    [
      'local above all retention',
      [
        { name: 'retention.ms', value: '100' },
        { name: 'local.retention.ms', value: '200' },
      ],
    ],
  ]
}

function growth(): Case[] {
  const grow = (
    scenario: string,
    count: number | ((version: number) => number),
    {
      name = 'growing',
      assignments = null as number[][] | null,
      validateOnly = false,
      changesMetadata = false,
    } = {},
  ) =>
    inAllVersions(
      CreatePartitions,
      scenario,
      (_, version) => ({
        topics: [
          {
            name,
            count: typeof count === 'number' ? count : count(version),
            assignments: (assignments?.map((brokerIds) => ({ brokerIds })) ?? null) as never,
          },
        ],
        timeoutMs: 10_000,
        validateOnly,
      }),
      { changesMetadata },
    )
  const one = (name: string, count: number) => ({ name, count, assignments: null as never })
  return [
    ...inAllVersions(
      CreateTopics,
      'to grow',
      () => ({
        topics: [{ name: 'growing', numPartitions: 2, replicationFactor: 1 }],
        timeoutMs: 10_000,
      }),
      { since: 7, changesMetadata: true },
    ),
    ...grow('only checked', 50, { validateOnly: true }),
    ...grow('more', (version) => 3 + version, { changesMetadata: true }),
    ...grow('with an assignment', (version) => 10 + version * 2, { assignments: [[1], [1]] }),
    ...[0, -1, 1, 2, 6].flatMap((count) => grow(`count ${count}`, count)),
    ...grow('count 10^6', 1_000_000, { validateOnly: true }),
    ...grow('too few assignments', 60, { assignments: [[1]] }),
    ...grow('an assignment to a stranger', 7, { assignments: [[5]] }),
    ...grow('an assignment to nobody', 7, { assignments: [[]] }),
    ...grow('an assignment to one twice', 7, { assignments: [[1, 1]] }),
    ...grow('an empty list of assignments', 7, { assignments: [] }),
    ...grow('no such topic', 7, { name: 'nowhere' }),
    ...grow('no name', 7, { name: '' }),
    ...grow('an impossible name', 7, { name: 'a/b' }),
    ...inAllVersions(CreatePartitions, 'nothing', () => ({ topics: [], timeoutMs: 10_000 })),
    ...inAllVersions(CreatePartitions, 'a topic twice', () => ({
      topics: [one('growing', 70), one('growing', 71)],
      timeoutMs: 10_000,
    })),
  ]
}

function deletions(): Case[] {
  const byName = (
    scenario: string,
    names: (version: number) => string[],
    changesMetadata = false,
  ) =>
    inAllVersions(
      DeleteTopics,
      scenario,
      (_, version) =>
        version >= 6
          ? { topics: names(version).map((name) => ({ name })), timeoutMs: 10_000 }
          : { topicNames: names(version), timeoutMs: 10_000 },
      { changesMetadata },
    )
  const byId = (
    scenario: string,
    topics: (side: Side) => { name: string | null; topicId: string }[],
    changesMetadata = false,
  ) =>
    inAllVersions(
      DeleteTopics,
      scenario,
      (side) => ({ topics: topics(side) as never, timeoutMs: 10_000 }),
      {
        since: 6,
        changesMetadata,
      },
    )
  return [
    ...byName('a topic', (version) => [`a-topic-${Math.max(2, version)}`], true),
    ...byName('gone already', () => ['a-topic-3']),
    ...byName('no such topic', () => ['nowhere']),
    ...byName('an impossible name', () => ['a/b', '']),
    ...byName('one twice', () => ['growing', 'growing']),
    ...byName('none', () => []),
    ...byName(
      'good and unknown',
      (version) => [`defaults-${Math.max(2, version)}`, 'nowhere'],
      true,
    ),
    ...byId('by id', (side) => [{ name: null, topicId: side.topicId('settings-2') }], true),
    ...byId('an unknown id', () => [{ name: null, topicId: UNKNOWN_ID }]),
    ...byId('neither name nor id', () => [{ name: null, topicId: ZERO_UUID }]),
    ...byId('name and id', (side) => [{ name: 'growing', topicId: side.topicId('growing') }]),
    ...byId('an id twice', (side) => [
      { name: null, topicId: side.topicId('growing') },
      { name: null, topicId: side.topicId('growing') },
    ]),
    ...byId('an id and the name of it', (side) => [
      { name: null, topicId: side.topicId('growing') },
      { name: 'growing', topicId: ZERO_UUID },
    ]),
  ]
}

/** Requests that may take no time, for what is refused anyway. */
function timeouts(): Case[] {
  return [0, -1].flatMap((timeoutMs) => [
    ...inAllVersions(CreateTopics, `timeout ${timeoutMs}`, () => ({
      topics: [{ name: world.FILLED, numPartitions: 1, replicationFactor: 1 }],
      timeoutMs,
    })),
    ...inAllVersions(CreatePartitions, `timeout ${timeoutMs}`, () => ({
      topics: [{ name: 'nowhere', count: 3, assignments: null as never }],
      timeoutMs,
    })),
    ...inAllVersions(DeleteTopics, `timeout ${timeoutMs}`, (_, version) =>
      version >= 6
        ? { topics: [{ name: 'nowhere' }], timeoutMs }
        : { topicNames: ['nowhere'], timeoutMs },
    ),
    ...inAllVersions(ElectLeaders, `timeout ${timeoutMs}`, () => ({
      topicPartitions: [{ topic: world.FILLED, partitions: [0] }],
      timeoutMs,
    })),
    ...inAllVersions(AlterPartitionReassignments, `timeout ${timeoutMs}`, () => ({
      topics: [{ name: 'nowhere', partitions: [{ partitionIndex: 0, replicas: [1] }] }],
      timeoutMs,
    })),
    ...inAllVersions(ListPartitionReassignments, `timeout ${timeoutMs}`, () => ({
      topics: null,
      timeoutMs,
    })),
    ...inAllVersions(DeleteRecords, `timeout ${timeoutMs}`, () => ({
      topics: [
        { name: world.FILLED, partitions: [{ partitionIndex: world.PLACES.cut, offset: 35 }] },
      ],
      timeoutMs,
    })),
  ])
}
