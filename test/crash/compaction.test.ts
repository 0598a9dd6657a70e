/**
 * Compaction under load and kill -9: whatever step the kill meets, each key has its last
 * acknowledged value, and Kafka's own tool reads what is left.
 */
import fs from 'node:fs'
import { crc32c } from '@node-rs/crc32'
import test, { type ExecutionContext } from 'ava'
import { Produce } from '../../src/protocol/apis/00-produce.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import {
  buildBatch,
  RECORD_BATCH_OVERHEAD,
  RecordCursor,
  recordsCount,
} from '../../src/protocol/record-batch.ts'
import { dumpSegments, kafkaToolsAreHere } from '../support/kafka-tools.ts'
import { ConnectionLost, type RawConnection } from '../support/raw-connection.ts'
import { pause, Seeded } from '../support/seeded.ts'
import { readPartition } from './read-back.ts'
import { segmentsOf } from './segments.ts'
import { Subject } from './subject.ts'

const TOPIC = 'compacted'
const PARTITIONS = 3
const KEYS = 40
const SEED = 11

/** Writes keyed records one batch at a time, and remembers what was acknowledged. */
class KeyedWriter {
  /** The number of the last value that was acknowledged, by partition and key; the same of sent. */
  readonly acknowledged = new Map<string, number>()
  readonly sent = new Map<string, number>()
  records = 0
  #number = 0
  #stopped = false
  readonly #random: Seeded
  readonly #subject: Subject

  constructor(subject: Subject, random: Seeded) {
    this.#subject = subject
    this.#random = random
  }

  stop(): void {
    this.#stopped = true
  }

  async run(): Promise<void> {
    let connection: RawConnection | undefined
    while (!this.#stopped) {
      try {
        connection ??= await this.#subject.connect()
        await this.#send(connection)
      } catch (error) {
        connection?.close()
        connection = undefined
        const { code } = error as NodeJS.ErrnoException
        if (!(error instanceof ConnectionLost) && code !== 'ECONNREFUSED' && code !== 'ECONNRESET')
          throw error
        await pause(20)
      }
    }
    connection?.close()
  }

  async #send(connection: RawConnection): Promise<void> {
    const partition = this.#random.between(0, PARTITIONS - 1)
    const written: [string, number][] = []
    const records = Array.from({ length: this.#random.between(1, 8) }, () => {
      const key = `key-${this.#random.between(1, KEYS)}`
      const number = ++this.#number
      written.push([`${partition}/${key}`, number])
      const value = Buffer.from(`${number}:`.padEnd(this.#random.between(20, 300), '.'))
      return { timestamp: Date.now(), key: Buffer.from(key), value }
    })
    for (const [key, number] of written) this.sent.set(key, number)
    const answer = await connection.ask(Produce, 9, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 10_000,
      topicData: [
        {
          name: TOPIC,
          partitionData: [{ index: partition, records: buildBatch({ records }, crc32c) }],
        },
      ],
    })
    if (answer.responses[0]?.partitionResponses[0]?.errorCode !== ErrorCode.NONE) return
    this.records += written.length
    for (const [key, number] of written) this.acknowledged.set(key, number)
  }
}

/** What is wrong with the topic as it is read back. */
async function problemsOf(subject: Subject, writer: KeyedWriter): Promise<string[]> {
  const problems: string[] = []
  const connection = await subject.connect()
  const last = new Map<string, number>()
  for (let partition = 0; partition < PARTITIONS; partition++) {
    let next = 0
    const { batches } = await readPartition(connection, TOPIC, partition)
    for (const { bytes, baseOffset } of batches) {
      const cursor = new RecordCursor()
      cursor.reset(bytes, RECORD_BATCH_OVERHEAD, bytes.length, recordsCount(bytes, 0))
      while (cursor.next()) {
        const offset = baseOffset + cursor.offsetDelta
        if (offset < next) problems.push(`${partition}: offset ${offset} after ${next - 1}`)
        next = offset + 1
        const key = `${partition}/${cursor.key()}`
        const number = Number.parseInt(String(cursor.value()), 10)
        if (number <= (last.get(key) ?? 0)) problems.push(`${key}: value ${number} comes again`)
        last.set(key, number)
      }
    }
  }
  connection.close()
  for (const [key, number] of writer.acknowledged) {
    const found = last.get(key) ?? 0
    if (found < number) problems.push(`${key}: the last value is ${found} instead of ${number}`)
    if (found > (writer.sent.get(key) ?? 0)) problems.push(`${key}: ${found} was never written`)
  }
  return problems
}

/** Names in a partition's directory that a compaction leaves while it is under way. */
function leftovers(subject: Subject): string[] {
  return Array.from({ length: PARTITIONS }, (_, i) => `${subject.dataDir}/${TOPIC}-${i}`)
    .flatMap((directory) => fs.readdirSync(directory))
    .filter((name) => /\.(cleaned|swap)$/.test(name))
}

function roundsOf(subject: Subject): number {
  return subject.broker?.logged(/a partition is compacted/).length ?? 0
}

/** Waits until the broker has compacted something since its start. */
async function compacted(subject: Subject): Promise<void> {
  while (roundsOf(subject) === 0 && subject.broker?.alive) await pause(20)
}

/** Kills the broker again and again under load; answers how many rounds it did in all. */
async function killAgainAndAgain(
  t: ExecutionContext,
  subject: Subject,
  random: Seeded,
): Promise<number> {
  let rounds = 0
  for (let kill = 0; kill < 4; kill++) {
    // Sometimes before the first round ends, mostly in the middle of later ones.
    if (random.chance(0.8)) await compacted(subject)
    await pause(random.between(0, 2000))
    rounds += roundsOf(subject)
    t.deepEqual(subject.broker?.logged(/not compacted any more|offline|broke/), [])
    await subject.kill()
    await subject.start()
    t.deepEqual(leftovers(subject), [])
  }
  await compacted(subject)
  return rounds + roundsOf(subject)
}

/** The files of the stopped broker: fewer records than were written, and sound ones. */
function checkFiles(t: ExecutionContext, subject: Subject, written: number): void {
  const files = Array.from({ length: PARTITIONS }, (_, i) => segmentsOf(subject.dataDir, TOPIC, i))
  const kept = files.flat().flatMap(({ batches }) => batches)
  const records = kept.reduce((sum, { bytes }) => sum + recordsCount(bytes, 0), 0)
  t.true(records < written, `${records} of ${written} records are left`)
  if (!kafkaToolsAreHere()) {
    t.log('SKIPPED: DumpLogSegments did not look at the result, it is not installed')
    return
  }
  const lines = dumpSegments(files.flat().map(({ file }) => file))
  t.is(lines.filter((line) => !line.startsWith('| ')).length, kept.length)
  t.is(lines.filter((line) => line.startsWith('| ')).length, records)
}

for (const shards of ['1', '3']) {
  test.serial(
    `keys keep their last values through compaction and kill -9, ${shards} shards`,
    async (t) => {
      t.timeout(180_000)
      const random = new Seeded(SEED)
      const subject = new Subject(random, {
        'odradek.shards': shards,
        'log.cleaner.backoff.ms': '0',
        'log.cleaner.threads': '2',
      })
      const writer = new KeyedWriter(subject, random.fork())
      let run: Promise<void> | undefined
      try {
        await subject.start()
        const configs = {
          'cleanup.policy': 'compact',
          'internal.segment.bytes': '30000',
          'min.cleanable.dirty.ratio': '0.01',
          'file.delete.delay.ms': '100',
        }
        await subject.createTopic(TOPIC, configs, PARTITIONS)
        run = writer.run()
        const rounds = await killAgainAndAgain(t, subject, random)
        writer.stop()
        await run
        t.deepEqual(await problemsOf(subject, writer), [])
        await subject.stop()
        t.log(`${rounds} rounds`)
        checkFiles(t, subject, writer.records)
      } finally {
        writer.stop()
        await subject.dispose()
        await run
      }
    },
  )
}
