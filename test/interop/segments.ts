/**
 * Kafka's DumpLogSegments reads the files that the broker wrote: every batch is valid, and its
 * records are those that a consumer reads.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { javaClient, kafkaTool } from './clients.ts'
import { bootstrap, check, expect, run } from './program.ts'
import { readSegmentsOutput, type Written, type WrittenRecord } from './written.ts'

const TOPIC = 'segments'
let written: Written | undefined
let dump: readonly string[] = []

check('write', () => {
  const { argv } = javaClient('4.3.1', 'Segments')
  const { code, out, err } = run([...argv, bootstrap, TOPIC])
  expect(code === 0, () => err)
  written = readSegmentsOutput(out)
  expect(written.records.length > 0, () => 'nothing was read')
})

check('dump', () => {
  const directory = join(written?.logDirectory ?? '', `${TOPIC}-0`)
  const files = readdirSync(directory).filter((name) => name.endsWith('.log'))
  expect(files.length > 2, () => `only ${files.length} segments`)
  const paths = files.sort().map((name) => join(directory, name))
  const options = ['--deep-iteration', '--print-data-log', '--files', paths.join(',')]
  const { code, out, err } = run([...kafkaTool('DumpLogSegments'), ...options])
  expect(code === 0, () => err)
  dump = out.split('\n').filter((line) => line !== '' && !isNoise(line))
})

check('no-complaint', () => {
  const complaints = dump.filter((line) => !line.startsWith('| ') && !/ isvalid: true$/.test(line))
  expect(complaints.length === 0, () => complaints.join('\n'))
})

check('all-codecs', () => {
  const seen = new Set(dump.map((line) => / compresscodec: (\w+)/.exec(line)?.[1]))
  const wanted = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
  expect(
    wanted.every((codec) => seen.has(codec)),
    () => [...seen].join(),
  )
})

check('same-records', () => {
  const records = dump.filter((line) => line.startsWith('| '))
  const wanted = (written?.records ?? []).map(dumpLineOf)
  expect(records.length === wanted.length, () => `${records.length} for ${wanted.length}`)
  for (const [i, line] of records.entries()) {
    const shown = line.replace(/ sequence: -?\d+/, '')
    expect(shown === wanted[i], () => `${shown} for ${wanted[i]}`)
  }
})

/**
 * Headings, and what the tool says of every file that does not begin with offset 0, Kafka's own
 * included: it takes the offset before the first for -1.
 */
function isNoise(line: string): boolean {
  return /^(Dumping |Log starting offset: |Non-consecutive offsets in | {2}-1 is followed by )/.test(
    line,
  )
}

function dumpLineOf(record: WrittenRecord): string {
  const { offset, timestamp, appendTime, key, value, headers } = record
  const time = `${appendTime ? 'LogAppendTime' : 'CreateTime'}: ${timestamp}`
  const sizes = `keySize: ${key?.length ?? -1} valueSize: ${value?.length ?? -1}`
  const names = headers.map(([name]) => name).join(',')
  const keyText = key === null ? '' : ` key: ${key}`
  const valueText = value === null ? '' : ` payload: ${value}`
  return `| offset: ${offset} ${time} ${sizes} headerKeys: [${names}]${keyText}${valueText}`
}
