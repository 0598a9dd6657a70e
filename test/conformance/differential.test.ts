/** What we answer beside what Apache Kafka answers, where it is on this machine. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { handlers } from '../../src/broker/handlers/index.ts'
import { oracleIsHere, startSubject } from '../interop/subject.ts'
import type { Case } from './differential/case.ts'
import { allCases } from './differential/cases.ts'
import { type Difference, isWanted } from './differential/compare.ts'
import { type Report, runCases } from './differential/run.ts'
import { Side } from './differential/side.ts'
import { wanted } from './differential/wanted.ts'
import { BARRIER } from './differential/world.ts'

const REQUESTS_MIN = 2000
const SHOWN_MAX = 60

test('the answers are those of Apache Kafka but for the differences that we want', async (t) => {
  if (!oracleIsHere()) {
    t.log('NOTHING WAS COMPARED: there is no Apache Kafka on this machine')
    t.pass()
    return
  }
  t.timeout(300_000)
  const cases = allCases()
  const compared = new Set(cases.map(({ api }) => api))
  const left = handlers.filter(({ api }) => !compared.has(api)).map(({ api }) => api.name)
  if (left.length > 0) t.log(`NOT COMPARED: ${left.join(', ')}`)
  const report = await compareWithKafka(cases)
  const unwanted = report.differences.filter((one) => !wanted.some((row) => isWanted(one, row)))
  const always = wanted.filter(({ sometimes }) => !sometimes)
  const idle = always.filter((row) => !report.differences.some((one) => isWanted(one, row)))
  t.log(`${report.requests} requests, ${report.differences.length} differences that are wanted`)
  for (const line of new Set(unwanted.map(lineOf).slice(0, SHOWN_MAX))) t.log(line)
  t.true(report.requests >= REQUESTS_MIN)
  t.is(unwanted.length, 0)
  t.deepEqual(
    idle.map(({ why }) => why),
    [],
    'a wanted difference that is none any more',
  )
})

async function compareWithKafka(cases: readonly Case[]): Promise<Report> {
  const directory = mkdtempSync(join(tmpdir(), 'odradek-differential-'))
  const subjects = await Promise.all([
    startSubject('kafka', join(directory, 'kafka')),
    startSubject('odradek', join(directory, 'odradek')),
  ])
  const [kafka, ours] = subjects.map(({ bootstrap }) => new Side(Number(bootstrap.split(':')[1])))
  try {
    await Promise.all([kafka!.warmUp(), ours!.warmUp()])
    return await runCases(cases, kafka!, ours!, BARRIER)
  } finally {
    kafka?.close()
    ours?.close()
    await Promise.all(subjects.map((subject) => subject.stop()))
    rmSync(directory, { recursive: true, force: true })
  }
}

function lineOf({ api, version, scenario, path, kafka, ours }: Difference): string {
  return `${api} ${version}, ${scenario}: ${path}: Kafka ${kafka}, ours ${ours}`.slice(0, 300)
}
