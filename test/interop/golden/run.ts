/**
 * Writes test/golden/segments anew: segment files of a real Kafka, and what that Kafka says about
 * them. Needs the Kafka that the suite can compare with, and the Java clients of install.sh.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { partitionAnswers } from '../../conformance/partition-answers.ts'
import { RawConnection } from '../../support/raw-connection.ts'
import { javaClient } from '../clients.ts'
import { root, startSubject } from '../subject.ts'
import { readSegmentsOutput } from '../written.ts'

const TOPIC = 'golden'
const golden = resolve(root, 'test/golden/segments')
const directory = mkdtempSync(join(tmpdir(), 'odradek-golden-'))

const subject = await startSubject('kafka', join(directory, 'data'))
try {
  const { argv } = javaClient('4.3.1', 'Segments')
  const [command = '', ...args] = argv
  const output = execFileSync(command, [...args, subject.bootstrap, TOPIC, 'transactions'])
  const written = readSegmentsOutput(output.toString())
  const connection = await RawConnection.open(Number(subject.bootstrap.split(':')[1]))
  const about = questionsAbout(written.records)
  const answers = await partitionAnswers(connection, TOPIC, about)
  connection.close()
  await subject.stop()
  rmSync(golden, { recursive: true, force: true })
  mkdirSync(golden, { recursive: true })
  const partition = join(written.logDirectory, `${TOPIC}-0`)
  for (const name of readdirSync(partition)) {
    if (!name.endsWith('.index')) copyFileSync(join(partition, name), join(golden, name))
  }
  const { records, committed } = written
  writeFileSync(join(golden, 'expected.json'), json({ about, answers, committed, records }))
  console.log(`${records.length} records in ${golden}`)
} finally {
  rmSync(directory, { recursive: true, force: true })
}

/** Offsets and times in every part of the log. */
function questionsAbout(records: readonly { offset: number; timestamp: number }[]) {
  const picked = records.filter((_, i) => i % 40 === 0 || i === records.length - 1)
  return {
    offsets: picked.map(({ offset }) => offset),
    timestamps: picked.flatMap(({ timestamp }) => [timestamp, timestamp + 1]),
  }
}

/** A line for each record and answer, so that a difference can be read. */
function json(value: object): string {
  const parts = Object.entries(value).map(([key, part]) => {
    const lines = Array.isArray(part) ? part.map((item) => JSON.stringify(item)) : undefined
    return `"${key}": ${lines ? `[\n${lines.join(',\n')}\n]` : JSON.stringify(part)}`
  })
  return `{\n${parts.join(',\n')}\n}\n`
}
