// Holds all our schemas and codecs against fact tables and an independent codec of Kafka 4.3.1,
// which lie beside the repository on machines that have them.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { apis } from '../../src/protocol/apis/index.ts'
import { decodeMessage, encodeMessage } from '../../src/protocol/compile.ts'
import { ErrorCode, errorName, isRetriable } from '../../src/protocol/errors.ts'
import { decodeRequestHeader, encodeRequestHeader } from '../../src/protocol/header.ts'
import { Writer } from '../../src/protocol/writer.ts'
import { dumpOf } from '../support/protocol-dump.ts'
import { allMessages, allVersions } from '../support/protocol-messages.ts'
import { completed, fromSample, roundedSample, type Values } from '../support/protocol-values.ts'

type Sample = {
  api: string
  apiKey?: number
  kind: string
  version: number
  json: Values
  hex: string
  frame?: string
  correlationId: number
}
type Checker = {
  encode(api: string, kind: string, version: number, value: Values): Buffer
  blank(api: string, kind: string, version: number): Values
}

// dist/test/protocol → the directory beside the repository
const checker = new URL('../../../../shared/protocol/check.mjs', import.meta.url)
const SEEDS = ['1', '2', '3']

test('all schemas agree with the fact tables in every version', (t) => {
  if (!checkerIsHere(t)) return
  const dump = allVersions.map((named) => dumpOf(named, named.version))
  const run = spawnSync(process.execPath, [checker.pathname, '-'], {
    input: JSON.stringify(dump),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  const lines = run.stdout.split('\n')
  t.deepEqual(
    lines.filter((line) => line.startsWith('MISMATCH')),
    [],
  )
  t.is(run.status, 0)
  t.deepEqual(
    lines.filter((line) => line.startsWith('absent')),
    [],
  )
  const coverage = lines.find((line) => line.startsWith('coverage')) ?? ''
  const [, have, total] = /coverage (\d+) of (\d+)/.exec(coverage) ?? []
  t.is(have, total, coverage)
})

for (const seed of SEEDS) {
  test(`samples of an independent codec are read and written alike, seed ${seed}`, async (t) => {
    if (!checkerIsHere(t)) return
    const other = (await import(checker.href)) as Checker
    const wrong: string[] = []
    let seen = 0
    for (const tags of [false, true]) {
      for (const sample of samplesOf(seed, tags)) {
        const named = allMessages.find((m) => m.name === sample.api && m.kind === sample.kind)
        if (named === undefined) continue
        seen++
        const label = `${sample.api} ${sample.kind} v${sample.version} tags ${tags}`
        const complaint = complaintAbout(sample, named.message, other)
        if (complaint !== undefined) wrong.push(`${label}: ${complaint}`)
      }
    }
    t.deepEqual(wrong, [])
    t.is(seen, allVersions.length * 2)
  })
}

test('a message of defaults has the bytes of an independent codec', async (t) => {
  if (!checkerIsHere(t)) return
  const other = (await import(checker.href)) as Checker
  for (const { name, kind, version, message } of allVersions) {
    const expected = other.encode(name, kind, version, other.blank(name, kind, version))
    t.is(bytesOf(message, version, {}), expected.toString('hex'), `${name} ${kind} v${version}`)
  }
})

test('request headers of every API and version are read and written alike', (t) => {
  if (!checkerIsHere(t)) return
  const isFlexible = (key: number, version: number): boolean =>
    version >= (apis.get(key)?.flexibleFrom ?? Infinity)
  for (const sample of samplesOf('1', false)) {
    const api = apis.get(sample.apiKey ?? -1)
    if (sample.kind !== 'request' || sample.frame === undefined || api === undefined) continue
    const frame = Buffer.from(sample.frame, 'hex')
    const header = decodeRequestHeader(frame, 4, isFlexible)
    t.deepEqual(header, {
      apiKey: api.key,
      apiVersion: sample.version,
      correlationId: sample.correlationId,
      clientId: 'sample',
      bodyAt: frame.length - sample.hex.length / 2,
    })
    const writer = new Writer()
    encodeRequestHeader(writer, api, sample.version, header)
    t.deepEqual(writer.finish(), frame.subarray(4, header.bodyAt))
  }
})

function complaintAbout(
  sample: Sample,
  message: (typeof allMessages)[number]['message'],
  other: Checker,
): string | undefined {
  const { version, api, kind } = sample
  const value = fromSample(message.fields, sample.json)
  const decoded = decodeMessage(message, version, Buffer.from(sample.hex, 'hex'), 0)
  if (!isDeepStrictEqual(decoded, completed(message.fields, value, version))) return 'decoded wrong'
  const expected = other.encode(api, kind, version, roundedSample(message.fields, sample.json))
  return bytesOf(message, version, value) === expected.toString('hex') ? undefined : 'encoded wrong'
}

function bytesOf(
  message: (typeof allMessages)[number]['message'],
  version: number,
  value: Values,
): string {
  const writer = new Writer()
  encodeMessage(message, version, value, writer)
  return writer.finish().toString('hex')
}

function samplesOf(seed: string, unknownTags: boolean): Sample[] {
  const args = [checker.pathname, '--sample', 'all', 'all', 'all', seed]
  if (unknownTags) args.push('--unknown-tags')
  const run = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  return run.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Sample)
}

function checkerIsHere(t: ExecutionContext): boolean {
  if (existsSync(checker)) return true
  t.log('NOT RUN: the fact tables of the protocol are not beside this repository')
  t.pass()
  return false
}

test('the table of error codes has the codes, names and retries of Kafka', (t) => {
  if (!checkerIsHere(t)) return
  const facts = JSON.parse(readFileSync(new URL('errors.json', checker), 'utf8')) as {
    code: number
    name: string
    retriable: boolean
  }[]
  const ours = Object.values(ErrorCode).map((code) => ({
    code,
    name: errorName(code),
    retriable: isRetriable(code),
  }))
  const theirs = facts.map(({ code, name, retriable }) => ({ code, name, retriable }))
  t.deepEqual(ours, theirs as typeof ours)
})
