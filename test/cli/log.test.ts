import test from 'ava'
import { ProcessLog, terminalLine } from '../../src/cli/log.ts'

test('entries made before the log is open are written in order when it opens', async (t) => {
  const written: string[] = []
  const log = new ProcessLog('info', async () => (entry) => written.push(entry.message))
  log.info('one')
  log.debug('below the level')
  log.warn('two')
  t.deepEqual(written, [])
  await log.open()
  log.error('three')
  await log.open()
  t.deepEqual(written, ['one', 'two', 'three'])
})

test('held entries are bounded, and what was dropped is counted', async (t) => {
  const written: string[] = []
  const log = new ProcessLog('info', async () => (entry) => written.push(entry.message))
  for (let at = 0; at < 10_005; at++) log.info('again')
  await log.open()
  t.is(written.length, 10_001)
  t.is(written.at(-1), 'log entries were dropped')
})

test('silent is silent', async (t) => {
  const log = new ProcessLog('silent', async () => () => t.fail())
  log.error('nothing')
  await log.open()
  t.pass()
})

test('a line for the terminal has time, level, message and fields', (t) => {
  const timeMs = new Date(2026, 0, 2, 3, 4, 5, 6).getTime()
  const fields = { topic: 'a', partition: 3 }
  t.is(
    terminalLine({ severity: 'warn', timeMs, message: 'cut', fields }),
    '03:04:05.006 \x1b[33mWARN \x1b[0m cut topic=a partition=3\n',
  )
})
