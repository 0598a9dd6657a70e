/**
 * Starts the broker under test: ours, or Apache Kafka as the oracle that the suite is proved with.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { freePort } from '../support/free-port.ts'

/** Which broker the clients talk to. */
export type SubjectKind = 'odradek' | 'kafka'

/** A running broker. `bootstrap` is host:port; `stop` rejects when the broker did not end well. */
export interface Subject {
  readonly bootstrap: string
  /** The last lines of its log, where it can be had. */
  readonly log: readonly string[]
  stop(): Promise<void>
}

/** The repository's root, from where this file lies once compiled. */
export const root = resolve(import.meta.dirname, '../../..')

const kafkaScript = resolve(root, '../shared/yardstick/kafka')
const readyMsMax = 30_000
const stopMsMax = 20_000

/** Whether a Kafka to compare with is on this machine. */
export const oracleIsHere = (): boolean => existsSync(kafkaScript)

/** Starts a broker on a free loopback port with an empty data directory `directory`. `settings` are
 *  of server.properties, each as name=value. */
export async function startSubject(
  kind: SubjectKind,
  directory: string,
  settings: readonly string[] = [],
): Promise<Subject> {
  // Kafka's controller takes the next one.
  const port = await freePort(2)
  const start = kind === 'kafka' ? startKafka : startOdradek
  return start(port, directory, settings)
}

async function startKafka(
  port: number,
  directory: string,
  settings: readonly string[],
): Promise<Subject> {
  const properties = `${directory}.properties`
  writeFileSync(properties, `${settings.join('\n')}\n`)
  const env = {
    ...process.env,
    KAFKA_HEAP_OPTS: '-Xmx512M -Xms256M',
    KAFKA_PROPS: properties,
  }
  const run = promisify(execFile)
  await run(kafkaScript, ['spawn', String(port), directory], { env })
  return {
    bootstrap: `127.0.0.1:${port}`,
    log: [],
    stop: async () => void (await run(kafkaScript, ['stop', directory])),
  }
}

async function startOdradek(
  port: number,
  directory: string,
  settings: readonly string[],
): Promise<Subject> {
  const main = resolve(root, 'dist/src/cli/main.js')
  const set = settings.flatMap((setting) => ['--set', setting])
  const args = [main, 'serve', '--port', String(port), '--data-dir', directory, ...set]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const log: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => {
    log.push(line)
    if (log.length > 40) log.shift()
  })
  await readyLine(child, log)
  return { bootstrap: `127.0.0.1:${port}`, log, stop: () => stopOdradek(child, log) }
}

function readyLine(child: ChildProcess, log: readonly string[]): Promise<void> {
  return new Promise((done, failed) => {
    const refuse = (why: string) => failed(new Error(`${why}\n${log.join('\n')}`))
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      refuse(`not ready after ${readyMsMax} ms`)
    }, readyMsMax)
    child.once('error', (error) => refuse(error.message))
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      refuse(`the broker ended with ${code ?? signal} while starting`)
    })
    createInterface({ input: child.stdout! }).on('line', (line) => {
      if (!line.startsWith('odradek ready')) return
      clearTimeout(timer)
      child.removeAllListeners('exit')
      done()
    })
  })
}

/** A broker that died under the clients, or does not end cleanly on SIGTERM, fails its run. */
async function stopOdradek(child: ChildProcess, log: readonly string[]): Promise<void> {
  const tail = () => log.slice(-15).join('\n')
  if (child.exitCode !== null || child.signalCode !== null) {
    throw new Error(`the broker had ended with ${child.exitCode ?? child.signalCode}\n${tail()}`)
  }
  const ended = new Promise<void>((done) => child.once('exit', () => done()))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), stopMsMax)
  await ended
  clearTimeout(timer)
  if (child.exitCode !== 0) {
    throw new Error(
      `SIGTERM ended the broker with ${child.exitCode ?? child.signalCode}\n${tail()}`,
    )
  }
}
