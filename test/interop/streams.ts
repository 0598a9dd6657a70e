/**
 * An application of Kafka Streams: it counts over a repartition topic, in a window, and joins; its
 * state comes back from changelogs after an orderly end and after a crash; Kafka's reset tool
 * starts it over.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { streamsClient } from './clients.ts'
import { deleteStreamsGroup, describeStreamsGroup } from './groups/streams-tools.ts'
import { bootstrap, check, checkAsync, expect, run } from './program.ts'
import { tool } from './tool.ts'

const APPLICATION = 'counting'
const KEYS = 10
const WAIT_MS_MAX = 60_000
const { argv } = streamsClient()
const protocol = process.argv.length > 3 ? process.argv[2]! : 'classic'
const directory = mkdtempSync(join(tmpdir(), 'odradek-streams-'))
let linesWritten = 0
let app: ChildProcessByStdio<Writable, null, Readable> | undefined
let noise = ''

/** Each line has `the` twice and `fox` once; its key is one of ten, and five of these are users. */
function writeLines(count: number): void {
  const lines = Array.from({ length: count }, (_, i) => `k${i % KEYS}:the fox ${i} the`)
  write('lines', lines)
  linesWritten += count
}

function write(topic: string, lines: readonly string[]): void {
  const input = `${lines.join('\n')}\n`
  const { code, err } = run(['kcat', '-b', bootstrap, '-P', '-t', topic, '-K:'], input)
  expect(code === 0, () => err)
}

function read(topic: string): string[] {
  const format = ['-C', '-e', '-q', '-f', '%k=%s\n']
  const { code, out, err } = run(['kcat', '-b', bootstrap, '-t', topic, ...format])
  expect(code === 0, () => err)
  return out.split('\n').filter((line) => line !== '')
}

/** The values of a key, oldest first: all of a key lies in one partition. */
function valuesOf(topic: string, key: string): number[] {
  const prefix = `${key}=`
  return read(topic).flatMap((line) =>
    line.startsWith(prefix) ? [Number(line.slice(prefix.length))] : [],
  )
}

function last(topic: string, key: string): number {
  return valuesOf(topic, key).at(-1) ?? 0
}

function start(stateOf: string): void {
  const [command = '', ...args] = [
    ...argv,
    APPLICATION,
    join(directory, stateOf),
    protocol,
    bootstrap,
  ]
  app = spawn(command, args, { stdio: ['pipe', 'ignore', 'pipe'] })
  app.stdin.on('error', () => {}) // it died: what is waited for will not come, and its noise is shown
  app.stderr.on('data', (bytes) => {
    noise = `${noise}${bytes}`.slice(-2000)
  })
}

async function end(signal: 'SIGKILL' | 'none'): Promise<void> {
  if (app === undefined || app.exitCode !== null) return
  const exited = once(app, 'exit')
  if (signal === 'none') app.stdin.end()
  else app.kill(signal)
  await exited
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const givenUpMs = Date.now() + WAIT_MS_MAX
  while (!holds()) {
    expect(Date.now() < givenUpMs, () => `waited in vain for ${what}: ${noise}`)
    await pause(200)
  }
}

check('topics', () => {
  const { code, err } = run([...argv, 'topics', bootstrap])
  expect(code === 0, () => err)
  write(
    'users',
    Array.from({ length: KEYS / 2 }, (_, i) => `k${i}:user ${i}`),
  )
  writeLines(200)
})

await checkAsync('counts', async () => {
  start('first')
  await until('all words', () => {
    return last('counted', 'the') === 2 * linesWritten && last('counted', 'fox') === linesWritten
  })
})

await checkAsync('windows', async () => {
  await until('all windows', () => last('windowed', 'k3') === linesWritten / KEYS)
})

await checkAsync('joins', async () => {
  await until('all joins', () => read('joined').length === linesWritten / 2)
})

if (protocol.startsWith('streams')) describeStreamsGroup(APPLICATION)

await checkAsync('restores', async () => {
  await end('none')
  writeLines(100)
  start('second')
  await until('words after a restart', () => last('counted', 'the') === 2 * linesWritten)
})

// What was done since the last commit is done again: at least once is what was asked for.
await checkAsync('survives-a-crash', async () => {
  writeLines(100)
  await end('SIGKILL')
  writeLines(100)
  start('third')
  await until('words after a crash', () => last('counted', 'the') >= 2 * linesWritten)
  await until('windows after a crash', () => last('windowed', 'k3') >= linesWritten / KEYS)
})

await checkAsync('application-reset', async () => {
  await end('none')
  const args = ['--application-id', APPLICATION, '--input-topics', 'lines,users', '--force']
  tool('StreamsResetter', args, /Deleting inferred internal topics/)
  const { out } = run(['kcat', '-b', bootstrap, '-L'])
  expect(!/counting-/.test(out), () => out)
  const before = valuesOf('counted', 'fox').length
  start('fourth')
  await until('words counted anew', () => {
    return valuesOf('counted', 'fox').slice(before).at(-1) === linesWritten
  })
  await end('none')
})

if (protocol.startsWith('streams')) deleteStreamsGroup(APPLICATION)

await end('SIGKILL')
rmSync(directory, { recursive: true, force: true })
