import test from 'ava'
import fc from 'fast-check'
import {
  type Alteration,
  type Altered,
  AlterOperation,
  alterBroker,
  alterGroup,
  alterTopic,
} from '../../src/config/alter.ts'
import type { Setting } from '../../src/config/define.ts'
import { effectiveBroker, staticLayers } from '../../src/config/effective.ts'
import { textOf } from '../../src/config/parse.ts'
import { topicConfigs } from '../../src/config/topic.ts'

const { SET, DELETE, APPEND, SUBTRACT } = AlterOperation
const broker = effectiveBroker(staticLayers())
const op = (operation: number, name: string, value: string | null = null): Alteration => ({
  name,
  operation,
  value,
})
const texts = (altered: Altered) =>
  altered.kind === 'altered' ? Object.fromEntries(altered.texts) : altered.errorCode
const topic = (current: Record<string, string>, ...alterations: Alteration[]) =>
  texts(alterTopic(new Map(Object.entries(current)), alterations, broker))

test('SET and DELETE change what they name and leave the rest', (t) => {
  t.deepEqual(topic({ 'retention.ms': '1' }, op(SET, 'segment.ms', '2')), {
    'retention.ms': '1',
    'segment.ms': '2',
  })
  t.deepEqual(topic({ 'retention.ms': '1' }, op(DELETE, 'retention.ms')), {})
  t.deepEqual(topic({}, op(DELETE, 'retention.ms')), {})
})

test('APPEND and SUBTRACT start from the default of a list that was not set', (t) => {
  t.deepEqual(topic({}, op(APPEND, 'cleanup.policy', 'compact')), {
    'cleanup.policy': 'delete,compact',
  })
  t.deepEqual(topic({}, op(APPEND, 'cleanup.policy', 'delete')), { 'cleanup.policy': 'delete' })
  t.deepEqual(topic({}, op(SUBTRACT, 'cleanup.policy', 'delete')), { 'cleanup.policy': '' })
  const both = { 'cleanup.policy': 'compact,delete' }
  t.deepEqual(topic(both, op(SUBTRACT, 'cleanup.policy', 'delete')), {
    'cleanup.policy': 'compact',
  })
})

test('what Kafka refuses is refused with its code', (t) => {
  t.is(topic({}, op(APPEND, 'retention.ms', '1')), 40)
  t.is(topic({}, op(SUBTRACT, 'nonsense', '1')), 40)
  t.is(topic({}, op(SET, 'nonsense', '1')), 40)
  t.is(topic({}, op(SET, 'retention.ms', '1e3')), 40)
  t.is(topic({}, op(SET, 'retention.ms', null)), 42)
  t.is(topic({}, op(SET, 'retention.ms', '1'), op(DELETE, 'retention.ms')), 42)
  t.is(topic({}, op(4, 'retention.ms', '1')), -1)
  t.is(topic({}, op(-1, 'retention.ms', '1')), -1)
})

test('the result is checked as a whole, and nothing changes if it is wrong', (t) => {
  const current = new Map([['max.compaction.lag.ms', '5']])
  const altered = alterTopic(current, [op(SET, 'min.compaction.lag.ms', '6')], broker)
  t.like(altered, { kind: 'refused', errorCode: 40 })
  t.deepEqual([...current], [['max.compaction.lag.ms', '5']])
})

test('a group stays within the bounds of the broker', (t) => {
  const altered = alterGroup(new Map(), [op(SET, 'consumer.session.timeout.ms', '1')], broker)
  t.like(altered, { kind: 'refused', errorCode: 40 })
})

test('of the broker only the dynamic settings change', (t) => {
  const layers = staticLayers()
  const alter = (alteration: Alteration) =>
    texts(alterBroker(layers, 'dynamicBroker', [alteration]))
  t.deepEqual(alter(op(SET, 'message.max.bytes', '2000')), { 'message.max.bytes': '2000' })
  t.is(alter(op(SET, 'listeners', 'PLAINTEXT://:1')), 42)
  t.is(alter(op(SET, 'num.io.threads', '4')), 42)
  t.is(alter(op(SET, 'nonsense', '4')), 40)
  t.is(alter(op(APPEND, 'message.max.bytes', '1')), 40)
  t.deepEqual(alter(op(DELETE, 'node.id')), {})
})

test('a wrong value of the broker is an invalid request, as in Kafka', (t) => {
  const alter = (...alterations: Alteration[]) =>
    texts(alterBroker(staticLayers(), 'dynamicDefault', alterations))
  t.is(alter(op(SET, 'message.max.bytes', 'x')), 42)
  t.is(alter(op(SET, 'message.max.bytes', null)), 42)
  t.is(alter(op(SET, 'log.retention.ms', '0')), 42)
  t.is(alter(op(SET, 'max.connections.per.ip.overrides', 'x')), 42)
  t.is(alter(op(4, 'message.max.bytes', '1')), 42)
  t.is(alter(op(SET, 'message.max.bytes', '2000'), op(SET, 'node.id', '2')), 42)
})

test('every default of a topic setting may change while the broker runs', (t) => {
  for (const [name, setting] of Object.entries<Setting>(topicConfigs)) {
    // Minutes and hours are fixed: the milliseconds are the way to change them.
    const [source] = setting.broker
    if (source === undefined || setting.default === null) continue
    const text = textOf(setting, setting.default) ?? ''
    const altered = alterBroker(staticLayers(), 'dynamicDefault', [op(SET, source, text)])
    t.is(altered.kind, 'altered', name)
  }
})

test('AlterConfigs leaves nothing of what was there', (t) => {
  const layers = { ...staticLayers(), dynamicDefault: new Map([['log.retention.ms', '5']]) }
  const sets = [op(SET, 'message.max.bytes', '2000')]
  t.deepEqual(texts(alterBroker(layers, 'dynamicDefault', sets, true)), {
    'message.max.bytes': '2000',
  })
})

test('no sequence of operations leads to settings that would be refused', (t) => {
  const names = [...Object.keys(topicConfigs), 'nonsense', 'constructor', '__proto__']
  const value = fc.oneof(
    fc.constantFrom('1', '-1', 'true', 'compact', 'delete', '', '2000000'),
    fc.string(),
  )
  const alteration = fc.record({
    name: fc.constantFrom(...names),
    operation: fc.integer({ min: -1, max: 4 }),
    value: fc.option(value),
  })
  fc.assert(
    fc.property(fc.array(fc.array(alteration, { maxLength: 3 })), (rounds) => {
      let current: ReadonlyMap<string, string> = new Map()
      for (const alterations of rounds) {
        const altered = alterTopic(current, alterations, broker)
        if (altered.kind === 'altered') current = altered.texts
      }
      const again = [...current].map(([name, text]) => op(SET, name, text))
      return alterTopic(new Map(), again, broker).kind === 'altered'
    }),
  )
  t.pass()
})
