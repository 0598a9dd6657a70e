import test from 'ava'
import type { BrokerLayers } from '../../src/config/broker.ts'
import {
  dataDirectory,
  effectiveBroker,
  effectiveGroup,
  effectiveTopic,
  groupDefaults,
  nodeId,
  staticLayers,
  topicDefaults,
} from '../../src/config/effective.ts'

const HOUR = 3_600_000

const broker = (layers: Partial<Record<keyof BrokerLayers, Record<string, string>>>) =>
  effectiveBroker({
    static: new Map(Object.entries(layers.static ?? {})),
    dynamicDefault: new Map(Object.entries(layers.dynamicDefault ?? {})),
    dynamicBroker: new Map(Object.entries(layers.dynamicBroker ?? {})),
  })

test('a topic follows its own setting, then each layer of the broker, then the default', (t) => {
  const name = 'log.segment.bytes'
  const layers = { static: { [name]: '2000000' } }
  const all = { ...layers, dynamicDefault: { [name]: '3000000' } }
  const every = { ...all, dynamicBroker: { [name]: '4000000' } }
  const own = new Map([['segment.bytes', '5000000']])
  const size = (of: Parameters<typeof broker>[0], overrides = new Map<string, string>()) =>
    effectiveTopic(overrides, topicDefaults(broker(of)))['segment.bytes']
  t.is(size({}), 1_073_741_824)
  t.is(size(layers), 2_000_000)
  t.is(size(all), 3_000_000)
  t.is(size(every), 4_000_000)
  t.is(size(every, own), 5_000_000)
})

test('hours and minutes are converted, and the finer unit wins', (t) => {
  const retention = (texts: Record<string, string>) =>
    topicDefaults(broker({ static: texts }))['retention.ms']
  t.is(retention({ 'log.retention.hours': '2' }), 2 * HOUR)
  t.is(retention({ 'log.retention.hours': '2', 'log.retention.minutes': '3' }), 180_000)
  t.is(retention({ 'log.retention.minutes': '3', 'log.retention.ms': '4' }), 4)
  t.is(retention({ 'log.retention.hours': '-1' }), -1)
  const rolling = topicDefaults(
    broker({ static: { 'log.roll.hours': '1', 'log.roll.jitter.hours': '2' } }),
  )
  t.is(rolling['segment.ms'], HOUR)
  t.is(rolling['segment.jitter.ms'], 2 * HOUR)
})

test('flush.ms follows the interval, and without one the scheduler', (t) => {
  const scheduler = { 'log.flush.scheduler.interval.ms': '7' }
  t.is(topicDefaults(broker({ static: scheduler }))['flush.ms'], 7)
  const both = { static: scheduler, dynamicDefault: { 'log.flush.interval.ms': '8' } }
  t.is(topicDefaults(broker(both))['flush.ms'], 8)
})

test('a topic without settings of its own shares the object of the defaults', (t) => {
  const defaults = topicDefaults(effectiveBroker(staticLayers()))
  t.is(effectiveTopic(new Map(), defaults), defaults)
  t.true(Object.isFrozen(defaults))
  t.true(Object.isFrozen(effectiveTopic(new Map([['retention.ms', '1']]), defaults)))
})

test('the internal segment size goes below the minimum of segment.bytes', (t) => {
  const defaults = topicDefaults(effectiveBroker(staticLayers()))
  const overrides = new Map([['internal.segment.bytes', '100']])
  t.is(effectiveTopic(overrides, defaults)['segment.bytes'], 100)
})

test('a kept text that is no longer valid gives way to the layer below', (t) => {
  const kept = { static: { 'num.partitions': '3' }, dynamicBroker: { 'num.partitions': 'many' } }
  t.is(broker(kept)['num.partitions'], 3)
})

test('names that every object inherits are no settings', (t) => {
  const defaults = topicDefaults(effectiveBroker(staticLayers()))
  t.is(effectiveTopic(new Map([['constructor', '1']]), defaults), defaults)
})

test('a group follows its own setting, then that of the broker', (t) => {
  const defaults = groupDefaults(
    broker({ static: { 'group.consumer.session.timeout.ms': '50000' } }),
  )
  const name = 'consumer.session.timeout.ms'
  t.is(defaults[name], 50_000)
  t.is(defaults['share.auto.offset.reset'], 'latest')
  t.is(effectiveGroup(new Map([[name, '46000']]), defaults)[name], 46_000)
})

test('the data directory and the node id have an older name each', (t) => {
  t.is(dataDirectory(broker({})), './odradek-data')
  t.is(dataDirectory(broker({ static: { 'log.dir': '/a' } })), '/a')
  t.is(dataDirectory(broker({ static: { 'log.dir': '/a', 'log.dirs': '/b' } })), '/b')
  t.is(nodeId(broker({})), 1)
  t.is(nodeId(broker({ static: { 'broker.id': '7' } })), 7)
  t.is(nodeId(broker({ static: { 'broker.id': '7', 'node.id': '8' } })), 8)
})

test('a broker configuration crosses threads unchanged', (t) => {
  const config = broker({ static: { 'num.partitions': '3' } })
  t.deepEqual(structuredClone(config), config)
})
