import test from 'ava'
import {
  type DescribeAsk,
  describeBroker,
  describeBrokerDefaults,
  describeGroup,
  describeTopic,
} from '../../src/config/describe.ts'
import { effectiveBroker, staticLayers } from '../../src/config/effective.ts'

const everything: DescribeAsk = { names: null, includeSynonyms: true, includeDocumentation: true }
const named = (...names: string[]): DescribeAsk => ({ ...everything, names })
const plain = effectiveBroker(staticLayers())
const layered = effectiveBroker({
  static: new Map([['log.segment.bytes', '2000000']]),
  dynamicDefault: new Map([['log.segment.bytes', ' 3000000']]),
  dynamicBroker: new Map([['log.segment.bytes', '4000000']]),
})

test('a topic has 33 settings, a group 17, and unknown names are left out', (t) => {
  t.is(describeTopic(new Map(), plain, everything).length, 33)
  t.is(describeGroup(new Map(), plain, everything).length, 17)
  t.deepEqual(describeTopic(new Map(), plain, named('nonsense')), [])
  t.is(describeTopic(new Map(), plain, named()).length, 33)
})

test('a topic setting names its sources, the most specific first', (t) => {
  const [entry] = describeTopic(
    new Map([['segment.bytes', ' 5000000 ']]),
    layered,
    named('segment.bytes'),
  )
  t.like(entry, { value: '5000000', configSource: 1, readOnly: false, configType: 3 })
  t.deepEqual(entry?.synonyms, [
    { name: 'segment.bytes', value: '5000000', source: 1 },
    { name: 'log.segment.bytes', value: '4000000', source: 2 },
    { name: 'log.segment.bytes', value: ' 3000000', source: 3 },
    { name: 'log.segment.bytes', value: '2000000', source: 4 },
    { name: 'log.segment.bytes', value: '1073741824', source: 5 },
  ])
})

test('an internal setting shows once it is set, and segment.bytes keeps its own value', (t) => {
  const internal = new Map([['internal.segment.bytes', '100']])
  t.is(describeTopic(internal, plain, everything).length, 34)
  const ask = named('internal.segment.bytes', 'segment.bytes')
  t.deepEqual(
    describeTopic(internal, plain, ask).map(({ name, value }) => [name, value]),
    [
      ['segment.bytes', '1073741824'],
      ['internal.segment.bytes', '100'],
    ],
  )
})

test('synonyms and documentation come only when asked for', (t) => {
  const ask = { names: ['cleanup.policy'], includeSynonyms: false, includeDocumentation: false }
  const [entry] = describeTopic(new Map(), plain, ask)
  t.deepEqual(entry, {
    name: 'cleanup.policy',
    value: 'delete',
    readOnly: false,
    configSource: 5,
    isSensitive: false,
    synonyms: [],
    configType: 7,
    documentation: null,
  })
})

test('a default that only a coarser unit gives has no synonyms', (t) => {
  const hours = effectiveBroker(staticLayers({ 'log.retention.hours': '2' }))
  const [entry] = describeTopic(new Map(), hours, named('retention.ms'))
  t.like(entry, { value: '7200000', configSource: 5, synonyms: [] })
  const ms = effectiveBroker(staticLayers({ 'log.retention.ms': '9' }))
  t.deepEqual(describeTopic(new Map(), ms, named('retention.ms'))[0]?.synonyms, [
    { name: 'log.retention.ms', value: '9', source: 4 },
    { name: 'log.retention.hours', value: '168', source: 5 },
  ])
})

test('no limit is printed with all digits', (t) => {
  t.is(describeTopic(new Map(), plain, named('flush.ms'))[0]?.value, '9223372036854775807')
})

test('a broker says what may change while it runs', (t) => {
  const [segment] = describeBroker(layered, named('log.segment.bytes'))
  t.like(segment, { value: '4000000', configSource: 2, readOnly: false })
  const [listeners] = describeBroker(layered, named('listeners'))
  t.like(listeners, { readOnly: true, configSource: 5 })
  t.like(describeBroker(plain, named('log.retention.ms'))[0], { value: null, configSource: 5 })
})

test('a setting without effect is reported with what was set, read-only', (t) => {
  const config = effectiveBroker(staticLayers({ 'num.io.threads': '4' }))
  t.like(describeBroker(config, named('num.io.threads'))[0], {
    value: '4',
    readOnly: true,
    configSource: 4,
  })
})

test('a password is never told', (t) => {
  const config = effectiveBroker(staticLayers({ 'ssl.key.password': 'hunter2' }))
  const [entry] = describeBroker(config, named('ssl.key.password'))
  t.like(entry, { value: null, isSensitive: true, configType: 9 })
  t.false(JSON.stringify(describeBroker(config, everything)).includes('hunter2'))
})

test('the defaults of all brokers show only what was set for all brokers', (t) => {
  t.deepEqual(describeBrokerDefaults(plain, everything), [])
  const entries = describeBrokerDefaults(layered, everything)
  t.is(entries.length, 1)
  t.like(entries[0], { name: 'log.segment.bytes', configSource: 3 })
  t.is(entries[0]?.synonyms.length, 1)
})

test('a group setting names the broker setting that gives its default', (t) => {
  const ask = named('consumer.session.timeout.ms')
  const [entry] = describeGroup(new Map([['consumer.session.timeout.ms', '50000']]), plain, ask)
  t.like(entry, { value: '50000', configSource: 8 })
  t.deepEqual(entry?.synonyms[1], {
    name: 'group.consumer.session.timeout.ms',
    value: '45000',
    source: 5,
  })
})
