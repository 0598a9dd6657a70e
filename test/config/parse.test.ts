import test from 'ava'
import fc from 'fast-check'
import { allBrokerConfigs } from '../../src/config/broker.ts'
import { LONG_MAX, type Setting } from '../../src/config/define.ts'
import { formatListener, parseListener } from '../../src/config/listeners.ts'
import { canonicalText, parseValue, textOf } from '../../src/config/parse.ts'
import { topicConfigs } from '../../src/config/topic.ts'

const value = (name: keyof typeof topicConfigs, text: string) => {
  const parsed = parseValue<Setting['default']>(topicConfigs[name], text)
  return parsed.ok ? parsed.value : parsed.fault
}

test('blanks around a value do not count', (t) => {
  t.is(value('segment.bytes', ' 2000000 '), 2_000_000)
  t.is(value('preallocate', '\ttrue '), true)
  t.deepEqual(value('cleanup.policy', ' compact , delete '), ['compact', 'delete'])
})

test('booleans are true and false in any case', (t) => {
  t.is(value('preallocate', 'TRUE'), true)
  t.is(value('preallocate', 'False'), false)
  t.is(value('preallocate', 'yes'), 'Expected value to be either true or false')
})

test('whole numbers take neither exponent nor unit nor fraction', (t) => {
  for (const text of ['1e3', '10k', '1.0', '', '0x10', '1_000', '9223372036854775808']) {
    t.is(value('retention.ms', text), 'Not a number of type LONG', text)
  }
  t.is(value('segment.bytes', '2147483648'), 'Not a number of type INT')
  t.is(value('retention.ms', '+5'), 5)
})

test('bounds and choices are told', (t) => {
  t.is(value('retention.ms', '-2'), 'Value must be at least -1')
  t.is(value('compression.lz4.level', '18'), 'Value must be no more than 17')
  t.is(value('compression.gzip.level', '0'), 'Value must be at least 1 or -1')
  t.is(value('compression.gzip.level', '-1'), -1)
  t.regex(String(value('compression.type', 'brotli')), /^String must be one of: uncompressed/)
  t.is(value('cleanup.policy', 'compact,keep'), 'String must be one of: compact, delete')
})

test('an empty list is a list, and a repeated item counts once', (t) => {
  t.deepEqual(value('cleanup.policy', ''), [])
  t.deepEqual(value('cleanup.policy', 'delete,delete'), ['delete'])
})

test('the greatest long keeps its digits in print', (t) => {
  const setting = topicConfigs['flush.ms']
  t.is(value('flush.ms', '9223372036854775807'), LONG_MAX)
  t.is(textOf(setting, LONG_MAX), '9223372036854775807')
  t.is(canonicalText(setting, ' 9223372036854775806'), '9223372036854775806')
})

test('doubles are printed as Java prints them', (t) => {
  const ratio = topicConfigs['min.cleanable.dirty.ratio']
  t.is(canonicalText(ratio, '1'), '1.0')
  t.is(canonicalText(ratio, '0.25'), '0.25')
  t.is(canonicalText(ratio, '0.0001'), '1.0E-4')
  const bytes = allBrokerConfigs().get('log.cleaner.io.max.bytes.per.second')!
  t.is(textOf(bytes, bytes.default), '1.7976931348623157E308')
})

test('every default of the tables is a value that its own rules accept', (t) => {
  for (const [name, setting] of [...allBrokerConfigs(), ...Object.entries<Setting>(topicConfigs)]) {
    const text = textOf(setting, setting.default)
    if (text === null) continue
    const parsed = parseValue(setting, text)
    t.true(parsed.ok, name)
    if (parsed.ok) t.deepEqual(parsed.value, setting.default, name)
  }
})

test('any text either parses or is explained, and a canonical text is canonical', (t) => {
  const settings = Object.values<Setting>(topicConfigs)
  const text = fc.oneof(fc.string(), fc.integer().map(String), fc.double().map(String))
  fc.assert(
    fc.property(fc.constantFrom(...settings), text, (setting, input) => {
      const parsed = parseValue(setting, input)
      if (!parsed.ok) return parsed.fault.length > 0
      const once = canonicalText(setting, input)
      return canonicalText(setting, once) === once
    }),
  )
  t.pass()
})

test('listeners are read with names, empty hosts and IPv6 addresses', (t) => {
  const listener = (text: string) => parseListener(text)
  t.deepEqual(listener('plaintext://:0'), { name: 'PLAINTEXT', host: '', port: 0 })
  t.deepEqual(listener('A_B-1://[::1]:9092'), { name: 'A_B-1', host: '::1', port: 9092 })
  t.is(formatListener({ name: 'A', host: '::1', port: 1 }), 'A://[::1]:1')
  for (const text of [
    'localhost:9092',
    'A://h',
    'A://h:65536',
    'A://h:-1',
    '://h:1',
    'A://a:b:1',
  ]) {
    t.is(listener(text), undefined, text)
  }
})
