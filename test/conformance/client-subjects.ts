/** The brokers that the clients' promises are held against, and the ways to them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { Broker, type BrokerOptions } from '../../src/library/broker.ts'
import { oracleIsHere, type Subject, type SubjectKind, startSubject } from '../interop/subject.ts'
import { type ClientSubject, World } from './client-suite.ts'

/** One row: a broker, and how clients come to it. */
interface Row {
  readonly name: string
  readonly isHere?: () => boolean
  start(directory: string): Promise<ClientSubject & { stop(): Promise<void> }>
}

const rows: readonly Row[] = [
  served('odradek'),
  { ...served('kafka'), isHere: oracleIsHere },
  inProcess('port', { threads: 0, storage: 'memory' }),
  inProcess('port', { threads: 1, storage: 'disk' }),
  inProcess('port', { threads: 3, storage: 'memory' }),
  inProcess('tcp', { threads: 0, storage: 'disk' }),
  inProcess('tcp', { threads: 3, storage: 'memory' }),
]

/** Registers a test for each promise and each subject; brokers start when they are first needed. */
export function holdAgainstAll(
  cases: readonly {
    readonly title: string
    run(t: ExecutionContext, world: World): Promise<void>
  }[],
): void {
  const directory = mkdtempSync(join(tmpdir(), 'odradek-client-'))
  test.after.always(() => rmSync(directory, { recursive: true, force: true }))
  for (const row of rows) {
    let running: ReturnType<Row['start']> | undefined
    for (const { title, run } of cases) {
      test.serial(`${row.name}: ${title}`, async (t) => {
        if (row.isHere?.() === false) {
          t.log('NOT RUN: there is no Apache Kafka on this machine')
          t.pass()
          return
        }
        t.timeout(120_000)
        running ??= row.start(join(directory, row.name.replaceAll(/[^a-z0-9]+/g, '-')))
        const world = new World(await running)
        try {
          await run(t, world)
        } finally {
          await world.close()
        }
      })
    }
    // One broker at a time.
    test.serial(`${row.name}: it ends in order`, async (t) => {
      await t.notThrowsAsync(running?.then((subject) => subject.stop()) ?? Promise.resolve())
    })
  }
}

/** A process of its own, over TCP. */
function served(kind: SubjectKind): Row {
  return {
    name: kind,
    async start(directory) {
      const subject: Subject = await startSubject(kind, directory)
      const target = () => ({ bootstrapServers: subject.bootstrap })
      return { target, stop: () => subject.stop() }
    },
  }
}

/** A broker in this process. */
function inProcess(way: 'port' | 'tcp', options: BrokerOptions & { threads: number }): Row {
  return {
    name: `${way}, ${options.threads} threads, ${options.storage}`,
    async start() {
      const broker = await Broker.start({ ...options, listen: way === 'tcp', profile: 'strict' })
      const target = () =>
        way === 'port' ? { port: broker.connect() } : { bootstrapServers: broker.bootstrapServers }
      return { target, stop: () => broker.stop() }
    },
  }
}
