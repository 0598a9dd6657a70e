/** What a client asks to find its way: ApiVersions, Metadata, descriptions, simple answers. */
import { ZERO_UUID } from '../../../src/base/uuid.ts'
import { Metadata } from '../../../src/protocol/apis/03-metadata.ts'
import { FindCoordinator } from '../../../src/protocol/apis/10-find-coordinator.ts'
import { ApiVersions } from '../../../src/protocol/apis/18-api-versions.ts'
import { AlterReplicaLogDirs } from '../../../src/protocol/apis/34-alter-replica-log-dirs.ts'
import { DescribeLogDirs } from '../../../src/protocol/apis/35-describe-log-dirs.ts'
import { ElectLeaders } from '../../../src/protocol/apis/43-elect-leaders.ts'
import { AlterPartitionReassignments } from '../../../src/protocol/apis/45-alter-partition-reassignments.ts'
import { ListPartitionReassignments } from '../../../src/protocol/apis/46-list-partition-reassignments.ts'
import { DescribeQuorum } from '../../../src/protocol/apis/55-describe-quorum.ts'
import { DescribeCluster } from '../../../src/protocol/apis/60-describe-cluster.ts'
import { DescribeTopicPartitions } from '../../../src/protocol/apis/75-describe-topic-partitions.ts'
import type { RequestInput } from '../../../src/protocol/schema.ts'
import { type Case, inAllVersions } from './case.ts'
import type { Side } from './side.ts'
import * as world from './world.ts'

const UNKNOWN_ID = 'MTIzNDU2Nzg5MGFiY2RlZg'

/** All of these but FindCoordinator. */
export function clusterCases(): Case[] {
  return [
    ...apiVersions(),
    ...metadata(),
    ...topicPartitions(),
    ...describeCluster(),
    ...quorum(),
    ...logDirs(),
    ...elections(),
    ...reassignments(),
  ]
}

function apiVersions(): Case[] {
  const named = (scenario: string, clientSoftwareName: string, clientSoftwareVersion: string) =>
    inAllVersions(ApiVersions, scenario, () => ({ clientSoftwareName, clientSoftwareVersion }))
  return [
    ...named('a well-named client', 'kafka-thing', '1.2.3'),
    ...named('a client of one letter', 'k', '1'),
    ...named('no name', '', '1'),
    ...named('no version', 'k', ''),
    ...named('a space', 'k k', '1'),
    ...named('a dash in front', '-k', '1'),
    ...named('a dot behind', 'k', '1.'),
    ...named('an underscore', 'k_k', '1'),
  ]
}

function metadata(): Case[] {
  const ask = (
    scenario: string,
    topics: (side: Side) => RequestInput<typeof Metadata>['topics'] & object,
    change: RequestInput<typeof Metadata> = {},
    options = {},
  ) =>
    inAllVersions(
      Metadata,
      scenario,
      (side, version) => ({
        topics: topics(side),
        ...(version >= 4 ? { allowAutoTopicCreation: false } : {}),
        ...change,
      }),
      { since: 4, ...options },
    )
  const named =
    (...names: string[]) =>
    () =>
      names.map((name) => ({ name }))
  return [
    ...inAllVersions(Metadata, 'all', (_, version) => ({ topics: version === 0 ? [] : null })),
    ...inAllVersions(Metadata, 'none', () => ({ topics: [] }), { since: 1 }),
    ...inAllVersions(Metadata, 'one', () => ({ topics: [{ name: world.FILLED }] })),
    ...ask('several', named(world.FILLED, world.COMPACTED, world.SMALL)),
    ...ask('one twice', named(world.FILLED, world.FILLED)),
    ...ask('no such topic', named('nowhere')),
    ...ask('good and unknown', named('nowhere', world.FILLED)),
    ...[
      '',
      '.',
      '..',
      'a b',
      'a/b',
      'ü',
      'x'.repeat(249),
      'x'.repeat(250),
      '__proto__',
      'constructor',
    ].flatMap((name) => ask(`the name ${name.slice(0, 12)} of ${name.length}`, named(name))),
    ...ask(
      'topic operations',
      named(world.FILLED),
      { includeTopicAuthorizedOperations: true },
      { since: 8 },
    ),
    ...ask(
      'operations of no topic',
      named('nowhere'),
      { includeTopicAuthorizedOperations: true },
      { since: 8 },
    ),
    ...ask(
      'cluster operations',
      named(world.FILLED),
      { includeClusterAuthorizedOperations: true },
      { since: 8, until: 10 },
    ),
    ...ask('a null name', () => [{ name: null }], {}, { since: 10 }),
    ...ask(
      'an id',
      (side) => [{ name: null, topicId: side.topicId(world.FILLED) }],
      {},
      { since: 10 },
    ),
    ...ask(
      'an id and a name',
      (side) => [{ name: world.SMALL, topicId: side.topicId(world.FILLED) }],
      {},
      { since: 10 },
    ),
    ...ask('an unknown id', () => [{ name: null, topicId: UNKNOWN_ID }], {}, { since: 10 }),
    ...ask(
      'an id and another name',
      (side) => [
        { name: null, topicId: side.topicId(world.FILLED) },
        { name: world.SMALL, topicId: ZERO_UUID },
      ],
      {},
      { since: 10 },
    ),
    ...ask(
      'an unknown id and operations',
      () => [{ name: null, topicId: UNKNOWN_ID }],
      { includeTopicAuthorizedOperations: true },
      { since: 10 },
    ),
  ]
}

/** Topics that are created because they are named; the world is not counted on afterwards. */
export function autoCreationCases(): Case[] {
  return [
    ...inAllVersions(
      Metadata,
      'creation on first use',
      (_, version) => ({
        topics: [{ name: `first-use-${version}` }],
      }),
      { changesMetadata: true },
    ),
    ...inAllVersions(Metadata, 'after first use', (_, version) => ({
      topics: [{ name: `first-use-${version}` }],
    })),
    ...inAllVersions(Metadata, 'no creation of what cannot be', () => ({
      topics: [{ name: 'a/b' }],
    })),
  ]
}

function topicPartitions(): Case[] {
  const ask = (
    scenario: string,
    names: string[],
    change: RequestInput<typeof DescribeTopicPartitions> = {},
  ) =>
    inAllVersions(DescribeTopicPartitions, scenario, () => ({
      topics: names.map((name) => ({ name })),
      responsePartitionLimit: 2000,
      ...change,
    }))
  const { FILLED, SMALL, COMPACTED } = world
  return [
    ...ask('one', [FILLED]),
    ...ask('several, unsorted', [SMALL, FILLED, COMPACTED]),
    ...ask('one twice', [FILLED, FILLED]),
    ...ask('none', []),
    ...ask('no such topic', ['nowhere']),
    ...ask('good and unknown', [FILLED, 'nowhere']),
    ...ask('an impossible name', ['a/b', '']),
    ...[1, 3, 8, 9, 0, -1].flatMap((responsePartitionLimit) =>
      ask(`limit ${responsePartitionLimit}`, [FILLED, SMALL], { responsePartitionLimit }),
    ),
    ...[0, 3, 7, 8, 100, -1].flatMap((partitionIndex) =>
      ask(`cursor at ${partitionIndex}`, [FILLED, SMALL], {
        cursor: { topicName: FILLED, partitionIndex },
      }),
    ),
    ...ask('cursor at a later topic', [FILLED, SMALL], {
      cursor: { topicName: SMALL, partitionIndex: 1 },
    }),
    ...ask('cursor at no topic', [FILLED, SMALL], {
      cursor: { topicName: 'nowhere', partitionIndex: 0 },
    }),
    ...ask('cursor between topics', [FILLED, SMALL], {
      cursor: { topicName: 'g', partitionIndex: 1 },
    }),
    ...ask('cursor behind all', [FILLED, SMALL], {
      cursor: { topicName: 'zzz', partitionIndex: 0 },
    }),
    ...ask('cursor without topics', [], {
      cursor: { topicName: SMALL, partitionIndex: 1 },
      responsePartitionLimit: 1,
    }),
  ]
}

function describeCluster(): Case[] {
  const ask = (scenario: string, body: RequestInput<typeof DescribeCluster>, since = 0) =>
    inAllVersions(DescribeCluster, scenario, () => body, { since })
  return [
    ...ask('the cluster', {}),
    ...ask('operations', { includeClusterAuthorizedOperations: true }),
    ...[0, 1, 2, 3, -1].flatMap((endpointType) =>
      ask(`endpoint type ${endpointType}`, { endpointType }, 1),
    ),
    ...ask('fenced brokers', { includeFencedBrokers: true }, 2),
  ]
}

function quorum(): Case[] {
  const ask = (scenario: string, topicName: string, indexes: number[]) =>
    inAllVersions(DescribeQuorum, scenario, () => ({
      topics: [{ topicName, partitions: indexes.map((partitionIndex) => ({ partitionIndex })) }],
    }))
  return [
    ...ask('the quorum', '__cluster_metadata', [0]),
    ...ask('another partition', '__cluster_metadata', [1]),
    ...ask('two partitions', '__cluster_metadata', [0, 1]),
    ...ask('another topic', world.FILLED, [0]),
    ...ask('no partitions', '__cluster_metadata', []),
    ...inAllVersions(DescribeQuorum, 'no topics', () => ({ topics: [] })),
  ]
}

function logDirs(): Case[] {
  const ask = (scenario: string, topics: RequestInput<typeof DescribeLogDirs>['topics'] | null) =>
    inAllVersions(DescribeLogDirs, scenario, () => ({ topics: topics as null }))
  const alter = (scenario: string, path: string, name: string, partitions: number[]) =>
    inAllVersions(AlterReplicaLogDirs, scenario, () => ({
      dirs: [{ path, topics: [{ name, partitions }] }],
    }))
  return [
    ...ask('some partitions', [{ topic: world.FILLED, partitions: [0, 1, 2, 3, 4, 5, 6, 7] }]),
    ...ask('no such topic', [{ topic: 'nowhere', partitions: [0] }]),
    ...ask('no such partition', [{ topic: world.FILLED, partitions: [99, 0] }]),
    ...ask('a partition twice', [{ topic: world.FILLED, partitions: [1, 1] }]),
    ...ask('no partitions', [{ topic: world.FILLED, partitions: [] }]),
    ...ask('no topics', []),
    ...alter('a foreign directory', '/nowhere', world.FILLED, [0]),
    ...alter('a foreign directory, no such topic', '/nowhere', 'nowhere', [0]),
    ...alter('a relative directory', 'nowhere', world.FILLED, [0]),
    ...alter('no directory', '', world.FILLED, [0, 99]),
    ...inAllVersions(AlterReplicaLogDirs, 'no directories', () => ({ dirs: [] })),
  ]
}

function elections(): Case[] {
  const elect = (
    scenario: string,
    topicPartitions: RequestInput<typeof ElectLeaders>['topicPartitions'] | null,
    electionType = 0,
    since = 0,
  ) =>
    inAllVersions(
      ElectLeaders,
      scenario,
      (_, version) => ({
        ...(version >= 1 ? { electionType } : {}),
        topicPartitions: topicPartitions as null,
        timeoutMs: 10_000,
      }),
      { since },
    )
  const filled = [{ topic: world.FILLED, partitions: [0, 1] }]
  return [
    ...elect('preferred', filled),
    ...elect('unclean', filled, 1, 1),
    ...[2, -1].flatMap((type) => elect(`election type ${type}`, filled, type, 1)),
    ...elect('all', null),
    ...elect('all, unclean', null, 1, 1),
    ...elect('no such topic', [{ topic: 'nowhere', partitions: [0] }]),
    ...elect('no such partition', [{ topic: world.FILLED, partitions: [99, -1, 0] }]),
    ...elect('a partition twice', [{ topic: world.FILLED, partitions: [0, 0] }]),
    ...elect('no partitions', [{ topic: world.FILLED, partitions: [] }]),
    ...elect('none', []),
  ]
}

function reassignments(): Case[] {
  const alter = (
    scenario: string,
    replicas: number[] | null,
    { name = world.FILLED as string, partitionIndex = 0, allow = true, since = 0 } = {},
  ) =>
    inAllVersions(
      AlterPartitionReassignments,
      scenario,
      (_, version) => ({
        timeoutMs: 10_000,
        ...(version >= 1 ? { allowReplicationFactorChange: allow } : {}),
        topics: [{ name, partitions: [{ partitionIndex, replicas: replicas as null }] }],
      }),
      { since },
    )
  const list = (scenario: string, topics: { name: string; partitionIndexes: number[] }[] | null) =>
    inAllVersions(ListPartitionReassignments, scenario, () => ({
      timeoutMs: 10_000,
      topics: topics as null,
    }))
  return [
    ...alter('to where it is', [1]),
    ...alter('to a foreign broker', [39]),
    ...alter('to two brokers', [1, 2]),
    ...alter('to one broker twice', [1, 1]),
    ...alter('to nowhere', []),
    ...alter('to a negative broker', [-1]),
    ...alter('cancelling nothing', null),
    ...alter('two brokers, factor kept', [1, 2], { allow: false, since: 1 }),
    ...alter('no such topic', [1], { name: 'nowhere' }),
    ...alter('no such partition', [1], { partitionIndex: 99 }),
    ...alter('partition -1', null, { partitionIndex: -1 }),
    ...inAllVersions(AlterPartitionReassignments, 'nothing', () => ({
      timeoutMs: 10_000,
      topics: [],
    })),
    ...list('all', null),
    ...list('one', [{ name: world.FILLED, partitionIndexes: [0, 99] }]),
    ...list('no such topic', [{ name: 'nowhere', partitionIndexes: [0] }]),
    ...list('none', []),
  ]
}

/** FindCoordinator for what is no coordinator: asking for a group makes Kafka create a topic. */
export function coordinatorCases(): Case[] {
  const find = (scenario: string, keys: string[], keyType: number) =>
    inAllVersions(
      FindCoordinator,
      scenario,
      (_, version) => ({
        ...(version >= 1 ? { keyType } : {}),
        ...(version >= 4 ? { coordinatorKeys: keys } : { key: keys[0] ?? '' }),
      }),
      { since: 1 },
    )
  return [
    ...[3, 7, -1].flatMap((type) => find(`key type ${type}`, ['g'], type)),
    ...find('share keys that are none', ['g', 'g:t', 'g:t:0', 'g:AAAAAAAAAAAAAAAAAAAAAA:x', ''], 2),
    ...inAllVersions(FindCoordinator, 'no keys', () => ({ keyType: 0, coordinatorKeys: [] }), {
      since: 4,
    }),
  ]
}
