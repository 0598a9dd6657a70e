/** Topics that are declared at the start of a broker. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { Broker, StartError } from '../../src/index.ts'

test('declared topics are there as they were declared', async (t) => {
  await using broker = await Broker.start({
    storage: 'memory',
    topics: [
      'plain',
      { topic: 'wide', numPartitions: 3, configs: { 'cleanup.policy': 'compact' } },
    ],
  })
  const described = await broker.admin.describeTopics(['plain', 'wide'])
  t.deepEqual(
    described.map(({ topic, partitions }) => [topic, partitions.length]),
    [
      ['plain', 1],
      ['wide', 3],
    ],
  )
  await broker.admin.createTopics([{ topic: 'other' }])
  await broker.reset()
  const topics = await broker.admin.listTopics()
  t.deepEqual(topics.map(({ topic }) => topic).sort(), ['plain', 'wide'])
})

test('a declared topic that exists stays as it is, unless its partitions contradict', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'odradek-topics-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  {
    await using _ = await Broker.start({ dataDir, topics: [{ topic: 't', numPartitions: 2 }] })
  }
  {
    const configs = { 'retention.ms': '1000' }
    await using broker = await Broker.start({ dataDir, topics: ['t', { topic: 'u', configs }] })
    const [topic] = await broker.admin.describeTopics(['t'])
    t.is(topic?.partitions.length, 2)
  }
  const more = Broker.start({ dataDir, topics: [{ topic: 't', numPartitions: 3 }] })
  await t.throwsAsync(more, {
    instanceOf: StartError,
    message: 'the topic t has 2 partitions, and 3 are declared',
  })
  await using broker = await Broker.start({ dataDir, topics: ['t', 'u'] })
  t.is((await broker.admin.listTopics()).length, 2)
})

test('a declared topic that cannot be is told, and nothing is left open', async (t) => {
  const refused = Broker.start({ topics: ['fine', { topic: 'not fine' }] })
  const error = await t.throwsAsync(refused, { instanceOf: StartError })
  t.regex(error.message, /^the topic not fine cannot be created: /)
})
