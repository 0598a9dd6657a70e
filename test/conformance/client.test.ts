/** The client's promises: over TCP and over message ports against our broker, and over TCP against
 *  Apache Kafka where it is here. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { Broker } from '../../src/library/broker.ts'
import { oracleIsHere, type Subject, type SubjectKind, startSubject } from '../interop/subject.ts'
import { clientCases, World } from './client-suite.ts'

const directory = mkdtempSync(join(tmpdir(), 'odradek-client-'))
const subjects = new Map<SubjectKind, Promise<Subject>>()

test.after.always(async () => {
  for (const subject of subjects.values()) await (await subject).stop()
  rmSync(directory, { recursive: true, force: true })
})

function started(kind: SubjectKind): Promise<Subject> {
  let subject = subjects.get(kind)
  if (subject === undefined) {
    subject = startSubject(kind, join(directory, kind))
    subjects.set(kind, subject)
  }
  return subject
}

for (const kind of ['odradek', 'kafka'] as const) {
  for (const { title, run } of clientCases) {
    test.serial(`${kind}: ${title}`, async (t) => {
      if (kind === 'kafka' && !oracleIsHere()) {
        t.log('NOT RUN: there is no Apache Kafka on this machine')
        t.pass()
        return
      }
      t.timeout(120_000)
      const { bootstrap } = await started(kind)
      const world = new World({ target: () => ({ bootstrapServers: bootstrap }) })
      try {
        await run(t, world)
      } finally {
        await world.close()
      }
    })
  }
}

for (const storage of ['disk', 'memory'] as const) {
  let broker: Broker | undefined
  test.after.always(async () => broker?.stop())
  for (const { title, run } of clientCases) {
    test.serial(`port, ${storage}: ${title}`, async (t) => {
      t.timeout(60_000)
      broker ??= await Broker.start({ storage, profile: 'strict' })
      const running = broker
      const world = new World({ target: () => ({ port: running.connect() }) })
      try {
        await run(t, world)
      } finally {
        await world.close()
      }
    })
  }
}
