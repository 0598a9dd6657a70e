import test from 'ava'
import { regexEngine } from '../../src/actors/regex-engine.ts'
import { REGEX_PROGRAM_MAX } from '../../src/coordinator/group/regex.ts'

function fits(regex: string, name: string): boolean | string {
  const compiled = regexEngine.compile(regex)
  return typeof compiled === 'string' ? 'invalid' : compiled.fits(name)
}

test('a topic fits only as a whole', (t) => {
  t.true(fits('orders-.*', 'orders-eu'))
  t.false(fits('orders', 'orders-eu'))
  t.false(fits('eu', 'orders-eu'))
  t.true(fits('a|bc', 'bc'))
  t.false(fits('a|b', 'ab'))
})

test('the syntax is RE2, without look-around and back-references', (t) => {
  t.true(fits('(?i)ORDERS', 'orders'))
  t.true(fits('\\pL+', 'abc'))
  t.is(fits('(?=a)a', 'a'), 'invalid')
  t.is(fits('(?<!a)b', 'b'), 'invalid')
  t.is(fits('(a)\\1', 'aa'), 'invalid')
  t.is(fits('[', '['), 'invalid')
  t.is(fits('*', '*'), 'invalid')
  t.is(fits('a{1001}', 'a'), 'invalid')
})

test('an expression that compiles to too much is refused', (t) => {
  const long = 'a'.repeat(REGEX_PROGRAM_MAX + 1)
  t.is(fits(long, long), 'invalid')
})

test('a name of full length is matched although an expression backtracks elsewhere', (t) => {
  t.false(fits('(a*)*b', 'a'.repeat(249)))
  t.false(fits('(a|a)*b', 'a'.repeat(249)))
})
