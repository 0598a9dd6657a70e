/** The profile dev: each of its departures from Kafka, beside what strict does. */
import { Worker } from 'node:worker_threads'
import test, { type ExecutionContext } from 'ava'
import { newTopicOnFirstUse } from '../../src/cluster/internal-topics.ts'
import { internalTopicNames } from '../../src/cluster/topic-name.ts'
import { effectiveBroker, staticLayers } from '../../src/config/effective.ts'
import { type departures, type Profile, withProfile } from '../../src/config/profile.ts'
import { Broker, type BrokerOptions, type Log } from '../../src/index.ts'
import { FindCoordinator } from '../../src/protocol/apis/10-find-coordinator.ts'
import { JoinGroup } from '../../src/protocol/apis/11-join-group.ts'
import { ConsumerGroupHeartbeat } from '../../src/protocol/apis/68-consumer-group-heartbeat.ts'
import { RawConnection } from '../support/raw-connection.ts'

/** A broker of one thread for connections and of several, so that the loss crosses threads. */
const threads = [0, 2]

/** What each row of the table says, made true. A row without a test does not compile. */
const tests: Readonly<Record<keyof typeof departures, (t: ExecutionContext) => Promise<void>>> = {
  'lost members': async (t) => {
    for (const count of threads) {
      await lostMembers(t, { threads: count, profile: 'dev' }, 0)
      await lostMembers(t, { threads: count, profile: 'strict' }, 2)
    }
  },
  'more replicas than nodes': async (t) => {
    const topics = [{ topic: 'a', replicationFactor: 3 }, { topic: 'b' }, { topic: 'c' }]
    const config = { 'default.replication.factor': 2 }
    const said: unknown[] = []
    const log = logOf((message, fields) => {
      if (message.includes('more replicas')) said.push(fields)
    })
    await using dev = await Broker.start({ storage: 'memory', config, log })
    await dev.admin.createTopics(topics, { validateOnly: true })
    t.deepEqual(said, [])
    const created = await dev.admin.createTopics(topics)
    t.deepEqual(
      created.map(({ replicationFactor }) => replicationFactor),
      [1, 1, 1],
    )
    t.deepEqual(said, [{ topics: ['a', 'b', 'c'] }], 'the log says it in one line')
    const elsewhere = dev.admin.createTopics([{ topic: 'd', replicaAssignment: [[1, 2]] }])
    await t.throwsAsync(elsewhere, { message: /broker 2/ })
    await using strict = await Broker.start({ storage: 'memory', config, profile: 'strict' })
    for (const topic of topics) {
      const error = await t.throwsAsync(strict.admin.createTopics([topic]))
      t.regex(error.message, /Unable to replicate the partition/)
    }
  },
  'internal topics': async (t) => {
    const key = 'offsets.topic.num.partitions'
    t.is(await offsetsPartitions({ profile: 'strict' }), 50)
    t.is(await offsetsPartitions({}), 4)
    t.is(await offsetsPartitions({ config: { [key]: 7 } }), 7)
    for (const name of internalTopicNames) {
      const made = (profile: Profile) => {
        const layers = staticLayers(withProfile(new Map([['odradek.profile', profile]])))
        return newTopicOnFirstUse(name, effectiveBroker(layers)).numPartitions
      }
      t.deepEqual([made('strict'), made('dev')], [50, 4], name)
    }
  },
}

for (const [name, run] of Object.entries(tests)) test.serial(`dev departs in: ${name}`, run)

test('the active profile is said, and is dev only where nothing else was asked for', async (t) => {
  const said: unknown[] = []
  const log = logOf((message, fields) => message === 'a broker is ready' && said.push(fields))
  await using plain = await Broker.start({ storage: 'memory', log })
  t.is(plain.profile, 'dev')
  t.deepEqual(said, [{ profile: 'dev', dataDir: '' }])
  const config = { 'odradek.profile': 'strict' }
  await using configured = await Broker.start({ storage: 'memory', config })
  t.is(configured.profile, 'strict')
  await using optioned = await Broker.start({ storage: 'memory', config, profile: 'dev' })
  t.is(optioned.profile, 'dev')
})

test('a consumer whose thread ends leaves its partitions to the others at once', async (t) => {
  await using broker = await Broker.start({
    storage: 'memory',
    topics: [{ topic: 't', numPartitions: 2 }],
  })
  const port = broker.connect()
  const program = `
    const { workerData } = require('node:worker_threads')
    import(workerData.module).then(async ({ Consumer }) => {
      const { port } = workerData
      const consumer = new Consumer({ port, groupId: 'g', groupProtocol: 'consumer' })
      await consumer.subscribe(['t'])
      for (;;) await consumer.poll({ timeoutMs: 1000 })
    })`
  const worker = new Worker(program, {
    eval: true,
    workerData: { port, module: new URL('../../src/index.js', import.meta.url).href },
    transferList: [port],
  })
  await untilMembers(broker, 1)
  await worker.terminate()
  await untilMembers(broker, 0)
  t.pass()
})

/** Members of both protocols join and lose their connections; `left` of them are there then. */
async function lostMembers(
  t: ExecutionContext,
  options: BrokerOptions,
  left: number,
): Promise<void> {
  const topics = ['t']
  await using broker = await Broker.start({ storage: 'memory', listen: true, topics, ...options })
  const port = Number(broker.bootstrapServers.split(':')[1])
  const classic = await RawConnection.open(port)
  // The topic of groups is made.
  await classic.ask(FindCoordinator, 3, { key: 'g', keyType: 0 })
  const { errorCode } = await classic.ask(JoinGroup, 3, {
    groupId: 'classic',
    sessionTimeoutMs: 1_800_000,
    rebalanceTimeoutMs: 1_800_000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
  })
  t.is(errorCode, 0)
  const consumer = await RawConnection.open(port)
  const joined = await consumer.ask(ConsumerGroupHeartbeat, 0, {
    groupId: 'g',
    memberId: '',
    memberEpoch: 0,
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: 1_800_000,
    subscribedTopicNames: ['t'],
    serverAssignor: null,
    topicPartitions: [],
  })
  t.is(joined.errorCode, 0)
  classic.close()
  consumer.close()
  await Promise.all([classic.closed, consumer.closed])
  await untilMembers(broker, left)
  for (let look = 0; look < 5; look++) t.is(await memberCount(broker), left)
}

/** Ends when the groups have so many members together; the time is the test's. */
async function untilMembers(broker: Broker, count: number): Promise<void> {
  while ((await memberCount(broker)) !== count);
}

async function memberCount(broker: Broker): Promise<number> {
  const groups = await broker.admin.listGroups()
  const described = await broker.admin.describeGroups(groups.map(({ groupId }) => groupId))
  return described.flatMap(({ members }) => members).length
}

/** The partitions of `__consumer_offsets` once there is a group. */
async function offsetsPartitions(options: BrokerOptions): Promise<number> {
  await using broker = await Broker.start({ storage: 'memory', topics: ['t'], ...options })
  const { admin } = broker
  await admin.alterGroupOffsets('g', [{ topic: 't', partition: 0, offset: 0 }])
  const [topic] = await admin.describeTopics(['__consumer_offsets'])
  return topic?.partitions.length ?? 0
}

function logOf(hear: (message: string, fields: unknown) => void): Log {
  return { debug() {}, info: hear, warn() {}, error() {} }
}
