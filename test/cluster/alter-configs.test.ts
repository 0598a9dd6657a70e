import test from 'ava'
import { alterConfigs } from '../../src/cluster/alter-configs.ts'
import type { ConfigAlteration, ResourceAlteration } from '../../src/cluster/commands.ts'
import type { ClusterImage } from '../../src/cluster/image.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { addTopic, applyAll, emptyImage } from '../support/cluster.ts'

const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3] as const
const [TOPIC, BROKER, LOGGER, METRICS, GROUP] = [2, 4, 8, 16, 32] as const

const op = (name: string, operation: number, value: string | null = null): ConfigAlteration => ({
  name,
  operation,
  value,
})

function resource(type: number, name: string, ...alterations: ConfigAlteration[]) {
  return { type, name, alterations } satisfies ResourceAlteration
}

function alter(image: ClusterImage, resources: ResourceAlteration[], incremental = true) {
  const { answers, deltas } = alterConfigs(image, { incremental, validateOnly: false, resources })
  applyAll(image, deltas)
  return answers.map(({ name, errorCode }) => `${name} ${errorName(errorCode)}`)
}

test('each operation does to a topic what its name says', (t) => {
  const image = emptyImage()
  addTopic(image, 'a')
  const own = () => Object.fromEntries(image.topic('a')?.configs ?? [])
  t.deepEqual(alter(image, [resource(TOPIC, 'a', op('retention.ms', SET, '5'))]), ['a NONE'])
  t.deepEqual(alter(image, [resource(TOPIC, 'a', op('cleanup.policy', APPEND, 'compact'))]), [
    'a NONE',
  ])
  t.deepEqual(own(), { 'retention.ms': '5', 'cleanup.policy': 'delete,compact' })
  alter(image, [resource(TOPIC, 'a', op('cleanup.policy', SUBTRACT, 'delete'))])
  alter(image, [resource(TOPIC, 'a', op('retention.ms', DELETE))])
  t.deepEqual(own(), { 'cleanup.policy': 'compact' })
})

test('AlterConfigs resets what it does not name', (t) => {
  const image = emptyImage()
  addTopic(image, 'a', { configs: { 'retention.ms': '5', 'segment.bytes': '2000000' } })
  t.deepEqual(alter(image, [resource(TOPIC, 'a', op('retention.ms', SET, '6'))], false), ['a NONE'])
  t.deepEqual([...(image.topic('a')?.configs ?? [])], [['retention.ms', '6']])
})

test('a resource changes as a whole or not at all', (t) => {
  const image = emptyImage()
  addTopic(image, 'a')
  addTopic(image, 'b')
  const half = resource(TOPIC, 'a', op('retention.ms', SET, '5'), op('segment.bytes', SET, 'x'))
  t.deepEqual(alter(image, [half, resource(TOPIC, 'b', op('retention.ms', SET, '5'))]), [
    'a INVALID_CONFIG',
    'b NONE',
  ])
  t.is(image.topic('a')?.configs.size, 0)
})

test('wrong resources are refused as Kafka refuses them', (t) => {
  const image = emptyImage()
  addTopic(image, 'a')
  const set = op('retention.ms', SET, '5')
  t.deepEqual(
    alter(image, [
      resource(TOPIC, 'nope', set),
      resource(TOPIC, 'a b', set),
      resource(TOPIC, '', set),
      resource(TOPIC, 'a', set),
      resource(TOPIC, 'a', set),
      resource(BROKER, '7', op('log.retention.ms', SET, '5')),
      resource(BROKER, 'x', op('log.retention.ms', SET, '5')),
      resource(BROKER, '1', op('num.partitions', SET, '5')),
      resource(LOGGER, '1', op('root', SET, 'INFO')),
      resource(GROUP, '', op('consumer.session.timeout.ms', SET, '50000')),
      resource(METRICS, '', op('metrics', SET, '*')),
      resource(0, 'zero', set),
    ]),
    [
      'nope UNKNOWN_TOPIC_OR_PARTITION',
      'a b INVALID_TOPIC_EXCEPTION',
      ' INVALID_REQUEST',
      'a INVALID_REQUEST',
      'a INVALID_REQUEST',
      '7 INVALID_REQUEST',
      'x INVALID_REQUEST',
      '1 INVALID_REQUEST',
      '1 INVALID_CONFIG',
      ' INVALID_REQUEST',
      ' INVALID_REQUEST',
      'zero INVALID_REQUEST',
    ],
  )
})

test('broker settings are kept for this broker and for all of them', (t) => {
  const image = emptyImage()
  addTopic(image, 'a')
  t.deepEqual(
    alter(image, [
      resource(BROKER, '1', op('message.max.bytes', SET, '5000')),
      resource(BROKER, '', op('log.segment.bytes', SET, '2000000')),
    ]),
    ['1 NONE', ' NONE'],
  )
  t.is(image.brokerConfigs('1').get('message.max.bytes'), '5000')
  t.is(image.topic('a')?.config['max.message.bytes'], 5000)
  t.is(image.topic('a')?.config['segment.bytes'], 2_000_000)
})

test('groups and client metrics subscriptions have settings of their own', (t) => {
  const image = emptyImage()
  t.deepEqual(
    alter(image, [
      resource(GROUP, 'g', op('consumer.session.timeout.ms', SET, '50000')),
      resource(GROUP, 'low', op('consumer.session.timeout.ms', SET, '1')),
      resource(METRICS, 's', op('interval.ms', SET, '1000'), op('match', SET, 'client_id=a.*')),
      resource(METRICS, 's1', op('interval.ms', SET, '1')),
      resource(METRICS, 's2', op('nope', SET, '1')),
      resource(METRICS, 's3', op('match', SET, 'client_id=[')),
      resource(METRICS, 's4', op('interval.ms', SET, 'x')),
      resource(METRICS, 's5', op('metrics', APPEND, 'a')),
    ]),
    [
      'g NONE',
      'low INVALID_CONFIG',
      's NONE',
      's1 INVALID_REQUEST',
      's2 INVALID_REQUEST',
      's3 INVALID_CONFIG',
      's4 INVALID_CONFIG',
      's5 INVALID_CONFIG',
    ],
  )
  t.deepEqual([...image.groupConfigs.keys()], ['g'])
  t.deepEqual([...image.clientMetrics.keys()], ['s'])
})

test('a configuration that outgrows its bound is refused', (t) => {
  const image = emptyImage()
  addTopic(image, 'a')
  const long = Array.from({ length: 200_000 }, (_, at) => `${at}:1`).join(',')
  t.deepEqual(
    alter(image, [resource(TOPIC, 'a', op('leader.replication.throttled.replicas', SET, long))]),
    ['a INVALID_CONFIG'],
  )
})
