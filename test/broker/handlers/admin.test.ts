import test from 'ava'
import { findCoordinator } from '../../../src/broker/handlers/10-find-coordinator.ts'
import { apiVersionsOf } from '../../../src/broker/handlers/18-api-versions.ts'
import { initProducerId } from '../../../src/broker/handlers/22-init-producer-id.ts'
import { describeConfigs } from '../../../src/broker/handlers/32-describe-configs.ts'
import { alterConfigs } from '../../../src/broker/handlers/33-alter-configs.ts'
import { alterReplicaLogDirs } from '../../../src/broker/handlers/34-alter-replica-log-dirs.ts'
import { describeLogDirs } from '../../../src/broker/handlers/35-describe-log-dirs.ts'
import { electLeaders } from '../../../src/broker/handlers/43-elect-leaders.ts'
import { incrementalAlterConfigs } from '../../../src/broker/handlers/44-incremental-alter-configs.ts'
import { alterPartitionReassignments } from '../../../src/broker/handlers/45-alter-partition-reassignments.ts'
import { listPartitionReassignments } from '../../../src/broker/handlers/46-list-partition-reassignments.ts'
import { describeQuorum } from '../../../src/broker/handlers/55-describe-quorum.ts'
import { listConfigResources } from '../../../src/broker/handlers/74-list-config-resources.ts'
import { FindCoordinator } from '../../../src/protocol/apis/10-find-coordinator.ts'
import { ApiVersions } from '../../../src/protocol/apis/18-api-versions.ts'
import { InitProducerId } from '../../../src/protocol/apis/22-init-producer-id.ts'
import { DescribeConfigs } from '../../../src/protocol/apis/32-describe-configs.ts'
import { AlterConfigs } from '../../../src/protocol/apis/33-alter-configs.ts'
import { AlterReplicaLogDirs } from '../../../src/protocol/apis/34-alter-replica-log-dirs.ts'
import { DescribeLogDirs } from '../../../src/protocol/apis/35-describe-log-dirs.ts'
import { ElectLeaders } from '../../../src/protocol/apis/43-elect-leaders.ts'
import { IncrementalAlterConfigs } from '../../../src/protocol/apis/44-incremental-alter-configs.ts'
import { AlterPartitionReassignments } from '../../../src/protocol/apis/45-alter-partition-reassignments.ts'
import { ListPartitionReassignments } from '../../../src/protocol/apis/46-list-partition-reassignments.ts'
import { DescribeQuorum } from '../../../src/protocol/apis/55-describe-quorum.ts'
import { ListConfigResources } from '../../../src/protocol/apis/74-list-config-resources.ts'
import { ErrorCode, errorName } from '../../../src/protocol/errors.ts'
import { addTopic, TestBroker } from '../../support/cluster.ts'

const SET = 0

function brokerWith(topics: Record<string, number>): TestBroker {
  const broker = new TestBroker()
  for (const [name, partitions] of Object.entries(topics))
    addTopic(broker.image, name, { partitions })
  return broker
}

test('ApiVersions lists what the table serves, by key, with the advertised ranges', (t) => {
  const apiVersions = apiVersionsOf(() => [describeQuorum, apiVersions, findCoordinator])
  const broker = new TestBroker()
  for (let version = 0; version <= 4; version++) {
    const named = version >= 3 ? { clientSoftwareName: 'probe', clientSoftwareVersion: '1.0' } : {}
    const answer = broker.ask(apiVersions, ApiVersions, named, version)
    t.deepEqual(
      answer.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, minVersion, maxVersion]),
      [
        [10, 0, 6],
        [18, 0, 4],
        [55, 0, 2],
      ],
    )
    if (version >= 3) t.is(answer.supportedFeatures[0]?.name, 'metadata.version')
  }
  t.like(broker.session, { clientSoftwareName: 'probe', clientSoftwareVersion: '1.0' })
})

test('a software name that is no name is INVALID_REQUEST with an empty list', (t) => {
  const apiVersions = apiVersionsOf(() => [findCoordinator])
  for (const clientSoftwareName of ['', '-a', 'a b', 'a-']) {
    const asked = { clientSoftwareName, clientSoftwareVersion: '1.0' }
    const answer = new TestBroker().ask(apiVersions, ApiVersions, asked)
    t.is(answer.errorCode, ErrorCode.INVALID_REQUEST)
    t.deepEqual(answer.apiKeys, [])
  }
})

test('this node coordinates every group and transactional id', (t) => {
  const broker = new TestBroker()
  for (let version = 0; version <= 3; version++) {
    const answer = broker.ask(findCoordinator, FindCoordinator, { key: 'g' }, version)
    t.like(answer, { errorCode: 0, nodeId: 1, host: 'broker.test', port: 9092 })
  }
  const batch = { keyType: 1, coordinatorKeys: ['a', ''] }
  const { coordinators } = broker.ask(findCoordinator, FindCoordinator, batch)
  t.deepEqual(
    coordinators.map(({ key, nodeId }) => [key, nodeId]),
    [
      ['a', 1],
      ['', 1],
    ],
  )
})

test('wrong key types and malformed share keys are refused in their element', (t) => {
  const broker = new TestBroker()
  const id = 'abcdefghijklmnopqrstuA'
  const keys = ['a', 'g:x:0', `g:${id}:x`, `:${id}:0`, `g:${id}:0`, `g:h:${id}:1`]
  const { coordinators } = broker.ask(findCoordinator, FindCoordinator, {
    keyType: 2,
    coordinatorKeys: keys,
  })
  t.deepEqual(
    coordinators.map(({ errorCode }) => errorCode),
    [42, 42, 42, 42, 0, 0],
  )
  const unknown = { keyType: 5, coordinatorKeys: ['a'] }
  t.is(broker.ask(findCoordinator, FindCoordinator, unknown).coordinators[0]?.errorCode, 42)
})

test('every producer id is handed out once, over the end of a block', (t) => {
  const broker = new TestBroker()
  const asked = { transactionalId: null, transactionTimeoutMs: 1000 }
  const ids = new Set<number>()
  for (let count = 0; count < 1500; count++) {
    const { producerId, producerEpoch } = broker.ask(initProducerId, InitProducerId, asked)
    t.is(producerEpoch, 0)
    ids.add(producerId)
  }
  t.is(ids.size, 1500)
})

test('InitProducerId refuses what it cannot serve', (t) => {
  const broker = new TestBroker()
  const code = (parts: object) => {
    const asked = { transactionalId: null, transactionTimeoutMs: 1000, ...parts }
    return errorName(broker.ask(initProducerId, InitProducerId, asked).errorCode as ErrorCode)
  }
  t.is(code({ transactionalId: '' }), 'INVALID_REQUEST')
  t.is(code({ producerId: 5 }), 'INVALID_REQUEST')
  t.is(code({ producerEpoch: 5 }), 'INVALID_REQUEST')
  t.is(code({ transactionalId: 'x', transactionTimeoutMs: 0 }), 'INVALID_TRANSACTION_TIMEOUT')
  t.is(code({ transactionalId: 'x' }), 'COORDINATOR_NOT_AVAILABLE')
  broker.controllerIsLost = true
  t.is(code({}), 'COORDINATOR_LOAD_IN_PROGRESS')
})

const topicResource = (name: string, keys: string[] | null = null) => ({
  resourceType: 2,
  resourceName: name,
  configurationKeys: keys,
})

test('what was altered is described with its source and synonyms, in every version', (t) => {
  const broker = brokerWith({ a: 1 })
  const configs = [{ name: 'retention.ms', configOperation: SET, value: '5' }]
  const altered = broker.ask(incrementalAlterConfigs, IncrementalAlterConfigs, {
    resources: [{ resourceType: 2, resourceName: 'a', configs }],
  })
  t.is(altered.responses[0]?.errorCode, 0)
  for (let version = 1; version <= 4; version++) {
    const asked = {
      resources: [topicResource('a', ['retention.ms', 'nope'])],
      includeSynonyms: true,
    }
    const { results } = broker.ask(describeConfigs, DescribeConfigs, asked, version)
    t.is(results[0]?.configs.length, 1)
    const [entry] = results[0]?.configs ?? []
    t.like(entry, { name: 'retention.ms', value: '5', configSource: 1, readOnly: false })
    t.is(entry?.synonyms[0]?.source, 1)
  }
  const all = broker.ask(describeConfigs, DescribeConfigs, { resources: [topicResource('a', [])] })
  t.is(all.results[0]?.configs.length, 33)
})

test('every kind of resource can be described, wrong ones have their code', (t) => {
  const broker = new TestBroker()
  const resources: [number, string][] = [
    [4, '1'],
    [4, ''],
    [8, '1'],
    [16, 'never'],
    [32, 'never'],
    [2, 'nope'],
    [2, 'a b'],
    [4, '7'],
    [4, 'x'],
    [8, ''],
    [16, ''],
    [32, ''],
  ]
  const { results } = broker.ask(describeConfigs, DescribeConfigs, {
    resources: resources.map(([resourceType, resourceName]) => ({
      ...topicResource(resourceName),
      resourceType,
    })),
  })
  t.deepEqual(
    results.map(({ errorCode }) => errorCode),
    [0, 0, 0, 0, 0, 3, 17, 42, 42, 42, 42, 42],
  )
  t.true((results[0]?.configs.length ?? 0) > 300)
  t.deepEqual(
    results.slice(1, 5).map(({ configs }) => configs.length),
    [0, 0, 3, 17],
  )
  const unknown = { resources: [topicResource('a'), { ...topicResource('x'), resourceType: 3 }] }
  const refused = broker.ask(describeConfigs, DescribeConfigs, unknown)
  t.deepEqual(
    refused.results.map(({ errorCode }) => errorCode),
    [42, 42],
  )
})

test('AlterConfigs replaces and answers for each resource', (t) => {
  const broker = brokerWith({ a: 1 })
  const set = (name: string, value: string) => [{ name, value }]
  for (let version = 0; version <= 2; version++) {
    const { responses } = broker.ask(
      alterConfigs,
      AlterConfigs,
      {
        resources: [
          { resourceType: 2, resourceName: 'a', configs: set('retention.ms', String(version)) },
          { resourceType: 8, resourceName: '1', configs: set('root', 'INFO') },
        ],
      },
      version,
    )
    t.deepEqual(
      responses.map(({ errorCode }) => errorCode),
      [0, 42],
    )
    t.deepEqual([...(broker.image.topic('a')?.configs ?? [])], [['retention.ms', String(version)]])
  }
})

test('configured resources are listed by type', (t) => {
  const broker = brokerWith({ a: 1 })
  broker.image.apply({ kind: 'group-configs-set', group: 'g', configs: [['x', '1']] })
  broker.image.apply({ kind: 'client-metrics-set', subscription: 's', configs: [['metrics', '*']] })
  const list = (resourceTypes: number[]) =>
    broker
      .ask(listConfigResources, ListConfigResources, { resourceTypes })
      .configResources.map(({ resourceName, resourceType }) => `${resourceType} ${resourceName}`)
  t.deepEqual(list([]), ['32 g', '16 s', '8 1', '4 1', '2 a'])
  t.deepEqual(list([2, 32]), ['32 g', '2 a'])
  const old = broker.ask(listConfigResources, ListConfigResources, {}, 0)
  t.deepEqual(
    old.configResources.map(({ resourceName }) => resourceName),
    ['s'],
  )
  const unknown = broker.ask(listConfigResources, ListConfigResources, { resourceTypes: [5] })
  t.is(unknown.errorCode, ErrorCode.UNSUPPORTED_VERSION)
})

test('the log directory tells the size of each partition that is there', (t) => {
  const broker = brokerWith({ a: 2, b: 1 })
  broker.sizes.set(0, 100).set(1, 200)
  for (let version = 1; version <= 5; version++) {
    const all = broker.ask(describeLogDirs, DescribeLogDirs, { topics: null }, version)
    t.is(all.results[0]?.logDir, '/data')
    // b-0 answered no size: it is offline.
    t.deepEqual(
      all.results[0]?.topics.map(({ name, partitions }) => [
        name,
        ...partitions.map(({ partitionSize }) => partitionSize),
      ]),
      [['a', 100, 200]],
    )
  }
  const topics = [
    { topic: 'a', partitions: [1, 99] },
    { topic: 'nope', partitions: [0] },
  ]
  const some = broker.ask(describeLogDirs, DescribeLogDirs, { topics })
  t.deepEqual(
    some.results[0]?.topics.map(({ partitions }) => partitions.length),
    [1],
  )
  const none = broker.ask(describeLogDirs, DescribeLogDirs, { topics: [] })
  t.deepEqual(none.results[0]?.topics, [])
})

test('a partition moves to the one directory and to no other', (t) => {
  const broker = brokerWith({ a: 1 })
  const move = (path: string) =>
    broker
      .ask(alterReplicaLogDirs, AlterReplicaLogDirs, {
        dirs: [{ path, topics: [{ name: 'a', partitions: [0, 9] }] }],
      })
      .results[0]?.partitions.map(({ errorCode }) => errorCode)
  t.deepEqual(move('/data'), [0, 3])
  t.deepEqual(move('/elsewhere'), [57, 57])
})

test('no election is needed where the only replica leads', (t) => {
  const broker = brokerWith({ a: 1 })
  for (let version = 0; version <= 2; version++) {
    const topicPartitions = [{ topic: 'a', partitions: [0, 5] }]
    const answer = broker.ask(electLeaders, ElectLeaders, { topicPartitions }, version)
    t.deepEqual(
      answer.replicaElectionResults[0]?.partitionResult.map(({ errorCode }) => errorCode),
      [ErrorCode.ELECTION_NOT_NEEDED, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    )
  }
  const all = broker.ask(electLeaders, ElectLeaders, { topicPartitions: null })
  t.deepEqual(all.replicaElectionResults, [{ topic: 'a', partitionResult: [] }])
  const unknown = broker.ask(electLeaders, ElectLeaders, { electionType: 7, topicPartitions: [] })
  t.is(unknown.errorCode, ErrorCode.INVALID_REQUEST)
})

test('reassignments know this node alone, and none is ever under way', (t) => {
  const broker = brokerWith({ a: 4 })
  const replicas = [[1], [2], null, []]
  const partitions = replicas.map((ids, partitionIndex) => ({ partitionIndex, replicas: ids }))
  const more = { partitionIndex: 9, replicas: [1] }
  const asked = { topics: [{ name: 'a', partitions: [...partitions, more] }] }
  const answer = broker.ask(alterPartitionReassignments, AlterPartitionReassignments, asked)
  t.deepEqual(
    answer.responses[0]?.partitions.map(({ errorCode }) => errorCode),
    [0, 39, 85, 39, 3],
  )
  const list = broker.ask(listPartitionReassignments, ListPartitionReassignments, { topics: null })
  t.deepEqual(list.topics, [])
})

test('the quorum has one voter, this node', (t) => {
  const broker = new TestBroker()
  const metadataLog = { topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }
  for (let version = 0; version <= 2; version++) {
    const answer = broker.ask(describeQuorum, DescribeQuorum, { topics: [metadataLog] }, version)
    const partition = answer.topics[0]?.partitions[0]
    t.like(partition, { errorCode: 0, leaderId: 1 })
    t.deepEqual(
      partition?.currentVoters.map(({ replicaId }) => replicaId),
      [1],
    )
  }
  const other = { topicName: 'a', partitions: [{ partitionIndex: 0 }] }
  const answer = broker.ask(describeQuorum, DescribeQuorum, { topics: [other] })
  t.is(answer.topics[0]?.partitions[0]?.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
})
