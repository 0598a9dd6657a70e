/** Kafka's own tools, where test/interop/install.sh has put them. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const cache = process.env['ODRADEK_INTEROP_CACHE'] ?? join(homedir(), '.cache/odradek-interop')
const tools = join(cache, 'tools-4.3.1')

/** An argument has at most 128 KiB. */
const FILES_AT_ONCE = 500

/** Whether Kafka's tools can run here. */
export function kafkaToolsAreHere(): boolean {
  return existsSync(tools)
}

/**
 * The lines that DumpLogSegments writes about batches and records; throws with what it complains
 * about. Gaps between offsets are no complaint: compaction leaves them.
 */
export function dumpSegments(files: readonly string[]): string[] {
  const lines: string[] = []
  for (let at = 0; at < files.length; at += FILES_AT_ONCE) {
    lines.push(...dump(files.slice(at, at + FILES_AT_ONCE)))
  }
  return lines
}

function dump(files: readonly string[]): string[] {
  const options = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
  const program = ['-cp', `${tools}/*`, 'org.apache.kafka.tools.DumpLogSegments']
  const asked = ['--deep-iteration', '--files', files.join(',')]
  const text = execFileSync('java', [...options, ...program, ...asked], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 1 << 28,
  })
  const lines = text.split('\n').filter((line) => line !== '' && !isHeading(line))
  const bad = lines.filter((line) => !line.startsWith('| ') && !/ isvalid: true$/.test(line))
  if (bad.length > 0) throw new Error(bad.slice(0, 20).join('\n'))
  return lines
}

function isHeading(line: string): boolean {
  return /^(Dumping |Log starting offset: |Non-consecutive offsets in | {2}-?\d+ is followed by )/.test(
    line,
  )
}
