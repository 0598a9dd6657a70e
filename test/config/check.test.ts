import test from 'ava'
import { checkBroker, groupFault, topicFault } from '../../src/config/check.ts'
import {
  effectiveBroker,
  groupDefaults,
  staticLayers,
  topicDefaults,
} from '../../src/config/effective.ts'

const broker = effectiveBroker(staticLayers())
const ofTopic = (texts: Record<string, string>) =>
  topicFault(new Map(Object.entries(texts)), topicDefaults(broker))
const ofGroup = (texts: Record<string, string>) =>
  groupFault(new Map(Object.entries(texts)), groupDefaults(broker), broker)
const ofBroker = (texts: Record<string, string>) => checkBroker(staticLayers(texts)).faults

test('an unknown topic setting is told with the nearest known one', (t) => {
  t.is(
    ofTopic({ 'retention.m': '1' }),
    'Unknown topic config name: retention.m; did you mean retention.ms?',
  )
  t.is(
    ofTopic({ 'message.format.version': '3.0' }),
    'Unknown topic config name: message.format.version',
  )
})

test('a wrong value of a topic is told in one sentence', (t) => {
  t.is(
    ofTopic({ 'segment.bytes': '100' }),
    'Invalid value 100 for configuration segment.bytes: Value must be at least 1048576',
  )
  t.is(ofTopic({ 'internal.segment.bytes': '100' }), undefined)
})

test('topic settings that contradict each other are refused, also against the defaults', (t) => {
  t.regex(ofTopic({ 'min.compaction.lag.ms': '5', 'max.compaction.lag.ms': '4' }) ?? '', /conflict/)
  const strict = effectiveBroker(staticLayers({ 'log.cleaner.max.compaction.lag.ms': '4' }))
  const own = new Map([['min.compaction.lag.ms', '5']])
  t.regex(topicFault(own, topicDefaults(strict)) ?? '', /\(5\) > .*\(4\)/)
  t.regex(ofTopic({ 'remote.storage.enable': 'true' }) ?? '', /Tiered Storage/)
})

test('throttled replicas are pairs or a star', (t) => {
  const name = 'leader.replication.throttled.replicas'
  for (const text of ['', '*', '0:1', '0:1,1:1']) t.is(ofTopic({ [name]: text }), undefined, text)
  for (const text of ['1', '*,0:1', 'a:b']) t.truthy(ofTopic({ [name]: text }), text)
})

test('group settings stay within the bounds of the broker', (t) => {
  t.is(
    ofGroup({ 'consumer.session.timeout.ms': '1000' }),
    'consumer.session.timeout.ms must be greater than or equal to ' +
      'group.consumer.min.session.timeout.ms',
  )
  t.regex(ofGroup({ 'share.delivery.count.limit': '11' }) ?? '', /group\.share\.max\.delivery/)
  t.regex(ofGroup({ 'streams.num.standby.replicas': '3' }) ?? '', /group\.streams\.max\.standby/)
  t.is(ofGroup({ 'consumer.session.timeout.ms': '60000' }), undefined)
  t.is(ofGroup({ 'share.auto.offset.reset': 'by_duration:P1DT2H' }), undefined)
  t.truthy(ofGroup({ 'share.auto.offset.reset': 'by_duration:P' }))
})

test('unknown and idle broker settings are reported and do not stop it', (t) => {
  const report = checkBroker(staticLayers({ 'num.partition': '3', 'num.io.threads': '4' }))
  t.deepEqual(report, {
    faults: [],
    unknown: [{ name: 'num.partition', nearest: 'num.partitions' }],
    inert: ['num.io.threads'],
  })
})

test('a wrong broker setting is one sentence', (t) => {
  t.deepEqual(ofBroker({ 'num.partitions': '0' }), [
    'Invalid value 0 for configuration num.partitions: Value must be at least 1',
  ])
  t.is(ofBroker({ 'num.io.threads': 'x' }).length, 1)
  t.is(ofBroker({ 'max.connections.per.ip.overrides': '127.0.0.1:x' }).length, 1)
  t.is(ofBroker({ 'log.dirs': '/a,/b' }).length, 1)
  t.is(ofBroker({ 'log.dirs': '' }).length, 1)
})

test('listeners must be ones that can be served', (t) => {
  t.regex(ofBroker({ listeners: 'SSL://:9093' })[0] ?? '', /only PLAINTEXT is served/)
  t.regex(ofBroker({ listeners: 'INSIDE://:9093' })[0] ?? '', /not in listener\.security/)
  t.regex(ofBroker({ listeners: 'localhost:9092' })[0] ?? '', /name:\/\/host:port/)
  t.regex(ofBroker({ listeners: 'PLAINTEXT://a:1,PLAINTEXT://b:2' })[0] ?? '', /occurs twice/)
  t.regex(ofBroker({ 'advertised.listeners': 'INSIDE://:1' })[0] ?? '', /not in listeners/)
  t.deepEqual(
    ofBroker({
      listeners: 'PLAINTEXT://:9092,CONTROLLER://:9093',
      'controller.listener.names': 'CONTROLLER',
      'advertised.listeners': 'PLAINTEXT://localhost:9092',
    }),
    [],
  )
})

test('bounds of groups that cross each other are refused', (t) => {
  t.regex(
    ofBroker({ 'group.consumer.min.session.timeout.ms': '50000' })[0] ?? '',
    /must be less than or equal to group\.consumer\.session\.timeout\.ms/,
  )
  t.is(
    ofBroker({ 'group.min.session.timeout.ms': '9', 'group.max.session.timeout.ms': '8' }).length,
    1,
  )
})
