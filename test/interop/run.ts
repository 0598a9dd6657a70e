/**
 * Runs clients that we did not write, each against a freshly started broker.
 * `run.js [--subject odradek|kafka] [--only CLIENT]... [--[no-]groups] [--verbose]`
 * `--groups`: only the scenarios of consumer groups; `--no-groups`: all but these.
 * The last line counts the checks: 'N passed, N failed', and clients that could not be run.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { clients, type InteropClient } from './clients.ts'
import { oracleIsHere, type SubjectKind, startSubject } from './subject.ts'

interface Check {
  readonly check: string
  readonly ok: boolean
  readonly detail: string
}

/** One client's run. `skipped` says why it could not be run at all. */
interface Run {
  readonly client: string
  readonly checks: readonly Check[]
  readonly skipped?: string
  readonly seconds: number
}

const usualMsMax = 180_000

/** Runs the wanted clients one after another, prints a table and exits 1 when a check failed. */
async function main(): Promise<void> {
  const options = {
    subject: { type: 'string', default: 'odradek' },
    only: { type: 'string', multiple: true },
    groups: { type: 'boolean' },
    verbose: { type: 'boolean', default: false },
  } as const
  const { values } = parseArgs({ options, allowNegative: true })
  const { subject, only, groups, verbose } = values
  if (subject !== 'odradek' && subject !== 'kafka') return refuse(`no subject '${subject}'`)
  if (subject === 'kafka' && !oracleIsHere()) return refuse('there is no Kafka to compare with')
  const named = clients.filter(({ name }) => only === undefined || only.includes(name))
  if (named.length !== (only?.length ?? clients.length)) {
    return refuse(`the clients are: ${clients.map(({ name }) => name).join(', ')}`)
  }
  const wanted = named.filter(
    ({ name }) => groups === undefined || groups === name.startsWith('groups:'),
  )
  const runs: Run[] = []
  for (const client of wanted) {
    const run = await runClient(client, subject)
    runs.push(run)
    report(run, verbose)
  }
  summarize(runs)
}

async function runClient(client: InteropClient, kind: SubjectKind): Promise<Run> {
  const elsewhere = client.inProcess && kind === 'kafka'
  const skipped = elsewhere ? 'its broker is ours' : client.needs()
  if (skipped !== undefined) return { client: client.name, checks: [], skipped, seconds: 0 }
  const startedMs = Date.now()
  const directory = mkdtempSync(join(tmpdir(), 'odradek-interop-'))
  const checks: Check[] = []
  try {
    const subject = client.inProcess
      ? { bootstrap: 'in-process', log: [], stop: async () => {} }
      : await startSubject(kind, join(directory, 'data'), client.settings)
    await runProgram(client, subject.bootstrap, checks)
    const at = checks.findLastIndex(({ ok }) => !ok)
    const failed = checks[at]
    if (failed !== undefined) {
      checks[at] = { ...failed, detail: [failed.detail, ...subject.log.slice(-15)].join('\n') }
    }
    await subject.stop()
  } catch (error) {
    checks.push({ check: 'broker', ok: false, detail: String(error) })
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  return { client: client.name, checks, seconds: (Date.now() - startedMs) / 1000 }
}

/** Runs the client's program to its end; dying, stalling or checking nothing is a failed check. */
async function runProgram(client: InteropClient, bootstrap: string, checks: Check[]) {
  const [command = '', ...args] = client.argv
  const child = spawn(command, [...args, bootstrap], { stdio: ['ignore', 'pipe', 'pipe'] })
  const noise: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => noise.push(line))
  createInterface({ input: child.stdout }).on('line', (line) => {
    const check = parseCheck(line)
    if (check) checks.push(check)
    else noise.push(line)
  })
  const problem = await ending(child, client.msMax ?? usualMsMax)
  if (problem === undefined && checks.length > 0) return
  const detail = [problem ?? 'checked nothing', ...noise.slice(-12)].join('\n')
  checks.push({ check: 'program', ok: false, detail })
}

function ending(child: ChildProcess, msMax: number): Promise<string | undefined> {
  return new Promise((done) => {
    const stall = () => {
      child.kill('SIGKILL')
      done(`still running after ${msMax / 1000} s`)
    }
    const timer = setTimeout(stall, msMax)
    child.once('error', (error) => done(error.message))
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      done(code === 0 ? undefined : `ended with ${code ?? signal}`)
    })
  })
}

function parseCheck(line: string): Check | undefined {
  if (!line.startsWith('{"check"')) return undefined
  try {
    const { check, ok, detail } = JSON.parse(line) as Check
    return { check, ok: ok === true, detail: String(detail ?? '') }
  } catch {
    return undefined
  }
}

function report(run: Run, verbose: boolean): void {
  const failed = run.checks.filter(({ ok }) => !ok)
  const passed = String(run.checks.length - failed.length).padStart(3)
  const counts = `${passed} passed, ${failed.length} failed`
  const verdict = run.skipped === undefined ? counts : `    SKIPPED: ${run.skipped}`
  console.log(`${run.client.padEnd(32)} ${verdict}  (${run.seconds.toFixed(1)} s)`)
  for (const { check, ok, detail } of verbose ? run.checks : failed) {
    console.log(`    ${ok ? 'ok    ' : 'FAILED'} ${check}${detail && `: ${detail}`}`)
  }
}

function summarize(runs: readonly Run[]): void {
  const checks = runs.flatMap((run) => run.checks)
  const failed = checks.filter(({ ok }) => !ok).length
  const skipped = runs.filter((run) => run.skipped !== undefined).length
  const loudly = skipped > 0 ? `, ${skipped} skipped` : ''
  console.log(`${checks.length - failed} passed, ${failed} failed${loudly}`)
  process.exitCode = failed > 0 ? 1 : 0
}

function refuse(why: string): void {
  console.error(why)
  process.exitCode = 2
}

await main()
