/**
 * `npm run bench [-- --time MS] [-- --only NAME]`: measures the limits of this machine and then the
 * parts of the broker beside them, in one run; a ratio is the time of a part to that of its limit.
 * Figures of different runs or machines do not compare, ratios do. Writes JSON to results/.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { append } from './append.bench.ts'
import { codec } from './codec.bench.ts'
import { coordinator } from './coordinator.bench.ts'
import { fetch } from './fetch.bench.ts'
import { measure, type Place, type Row, type Suite } from './harness.ts'
import { index } from './index.bench.ts'
import { lifecycle } from './lifecycle.bench.ts'
import { limits } from './limits.ts'
import { ring } from './ring.bench.ts'

const suites: Readonly<Record<string, (place: Place) => Suite | Promise<Suite>>> = {
  limits,
  ring,
  codec,
  append,
  fetch,
  index,
  lifecycle,
  coordinator,
}

const { values } = parseArgs({
  options: { time: { type: 'string', default: '300' }, only: { type: 'string' } },
})
const timeMs = Number(values.time)
const rows: (Row & { suite: string })[] = []
// Beside the sources, as the system's directory for temporary files may not be on a disk at all.
const directory = fs.mkdtempSync(path.join(process.cwd(), 'dist', 'bench-'))
try {
  for (const [name, open] of Object.entries(suites)) {
    if (values.only !== undefined && name !== 'limits' && name !== values.only) continue
    const folder = path.join(directory, name)
    fs.mkdirSync(folder)
    const suite = await open({ directory: folder })
    for (const row of await measure(suite.tasks, timeMs)) {
      rows.push({ suite: name, ...row })
      console.log(lineOf(row))
    }
    await suite.close?.()
  }
} finally {
  fs.rmSync(directory, { recursive: true, force: true })
}
writeResult()

/** The time of a row to that of its limit, by bytes where both have them. */
function ratioOf(row: Row): number | undefined {
  const limit = rows.find(({ name }) => name === row.limit)
  if (limit === undefined) return undefined
  const perByte = row.bytes !== undefined && limit.bytes !== undefined
  if (!perByte) return row.medianNs / limit.medianNs
  return row.medianNs / (row.bytes as number) / (limit.medianNs / (limit.bytes as number))
}

function lineOf(row: Row): string {
  const ratio = ratioOf(row)
  const against = ratio === undefined ? '' : `${ratio.toFixed(2)} × ${row.limit}`
  const speed =
    row.bytes === undefined ? '' : `${Math.round((row.bytes / row.medianNs) * 1000)} MB/s`
  return `${row.name.padEnd(52)}${time(row.medianNs).padStart(10)}${speed.padStart(13)}   ${against}`
}

function time(ns: number): string {
  if (ns < 1000) return `${ns.toFixed(0)} ns`
  return ns < 1e6 ? `${(ns / 1000).toFixed(2)} µs` : `${(ns / 1e6).toFixed(2)} ms`
}

function writeResult(): void {
  const [cpu] = os.cpus()
  const model = (cpu?.model ?? 'unknown').replace(/\(R\)|\(TM\)|CPU|@.*$/g, '').trim()
  const machine = `${model} x${os.availableParallelism()}`
  const date = new Date().toISOString().slice(0, 10)
  const file = `${date}-${machine.toLowerCase().replace(/[^a-z0-9]+/g, '-')}.json`
  const result = {
    date,
    machine,
    node: process.version,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    rows: rows.map((row) => ({ ...row, ratio: ratioOf(row) })),
  }
  const target = path.join('native-bench', 'results', file)
  fs.mkdirSync(path.dirname(target), { recursive: true })
  fs.writeFileSync(target, `${JSON.stringify(result, null, 2)}\n`)
  console.log(`written to ${target}`)
}
