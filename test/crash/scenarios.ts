/**
 * What else has to survive: topics, settings, deleted records, stops, a second process, a full
 * disk.
 */
import fs from 'node:fs'
import path from 'node:path'
import { Fetch } from '../../src/protocol/apis/01-fetch.ts'
import { DeleteRecords } from '../../src/protocol/apis/21-delete-records.ts'
import { DescribeConfigs } from '../../src/protocol/apis/32-describe-configs.ts'
import { IncrementalAlterConfigs } from '../../src/protocol/apis/44-incremental-alter-configs.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { pause, type Seeded } from '../support/seeded.ts'
import { mountSmallDisk } from '../support/small-disk.ts'
import { offsetOf } from './read-back.ts'
import { flipByte, segmentsOf } from './segments.ts'
import { shareGroups } from './share-groups.ts'
import { Broken, PARTITIONS, Subject } from './subject.ts'
import { topicsRace } from './topics-race.ts'

const EARLIEST = -2
const LATEST = -1
const TOPIC = 2
const BROKER = 4
const CLEAN_FILE = '.kafka_cleanshutdown'
const FULL_DISK_BYTES = 48 * 1024 * 1024
/** Batches that are written when the disk has room again: a small part of it. */
const GOES_ON_BATCHES = 300

/** A scenario: gets a broker that serves, throws Broken, answers what it did. */
export type Scenario = (subject: Subject) => Promise<string>

/** A scenario that takes longer than this hangs: none takes a tenth of it on an idle machine. */
const SCENARIO_MS = 150_000

/** The outcome of a scenario, or Broken once it is clear that it hangs. */
export async function inTime<T>(scenario: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const error = new Broken(`it hangs: not done after ${SCENARIO_MS} ms`)
    timer = setTimeout(() => reject(error), SCENARIO_MS)
  })
  try {
    return await Promise.race([scenario, late])
  } finally {
    clearTimeout(timer)
  }
}

/** All scenarios by their name. `fullDisk` is apart: it brings its own disk. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  topicsRace,
  deletedRecords,
  settings,
  cleanStart,
  secondProcess,
  stopUnderLoad,
  shareGroups,
}

/** Runs load on a new topic until it is stopped. */
async function loaded(subject: Subject, topic: string, ms: number) {
  await subject.createTopic(topic)
  const { producers, run } = subject.load(topic, 3)
  await pause(ms)
  for (const producer of producers) producer.stop()
  await run
  return producers
}

/** What DeleteRecords answered holds after kill -9, and the rest is there. */
async function deletedRecords(subject: Subject): Promise<string> {
  const producers = await loaded(subject, 'deleted', 1500)
  const connection = await subject.connect()
  const starts: number[] = []
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const end = await offsetOf(connection, 'deleted', partition, LATEST)
    const offset = partition === 0 ? -1 : subject.random.between(0, end)
    const answer = await connection.ask(DeleteRecords, 1, {
      topics: [{ name: 'deleted', partitions: [{ partitionIndex: partition, offset }] }],
      timeoutMs: 10_000,
    })
    const { errorCode = -1, lowWatermark = -1 } = answer.topics[0]?.partitions[0] ?? {}
    if (errorCode !== ErrorCode.NONE) throw new Broken(`DeleteRecords answers ${errorCode}`)
    if (lowWatermark !== (offset < 0 ? end : offset)) throw new Broken('a wrong low watermark')
    starts.push(lowWatermark)
  }
  await subject.kill()
  await subject.start()
  for (const [partition, read] of (await subject.read('deleted')).entries()) {
    const start = starts[partition] as number
    if (read.logStartOffset !== start) {
      throw new Broken(`deleted-${partition} starts at ${read.logStartOffset}, not ${start}`)
    }
    // The first batch is whole, although its first records are deleted.
    const first = read.batches[0]?.baseOffset ?? start
    if (first > start) throw new Broken(`deleted-${partition} begins with ${first}, not ${start}`)
  }
  const after = subject.load('deleted', 2)
  await pause(100)
  for (const producer of after.producers) producer.stop()
  await after.run
  return `starts ${starts.join(' ')}, ${producers.length + 2} producers`
}

/** Settings of topics and of the broker hold after kill -9. */
async function settings(subject: Subject): Promise<string> {
  await subject.createTopic('settings', { 'retention.ms': '1234567' })
  const set = (resourceType: number, resourceName: string, name: string, value: string) => ({
    resourceType,
    resourceName,
    configs: [{ name, configOperation: 0, value }],
  })
  const connection = await subject.connect()
  const answer = await connection.ask(IncrementalAlterConfigs, 1, {
    resources: [
      set(TOPIC, 'settings', 'max.message.bytes', '54321'),
      set(BROKER, '', 'message.max.bytes', '765432'),
    ],
  })
  for (const { errorCode } of answer.responses) {
    if (errorCode !== ErrorCode.NONE) throw new Broken(`IncrementalAlterConfigs: ${errorCode}`)
  }
  await subject.kill()
  await subject.start()
  const again = await subject.connect()
  const described = await again.ask(DescribeConfigs, 4, {
    resources: [
      { resourceType: TOPIC, resourceName: 'settings', configurationKeys: null },
      { resourceType: BROKER, resourceName: '', configurationKeys: null },
    ],
  })
  again.close()
  const found = described.results.flatMap(({ configs }) => configs)
  const expected = [
    ['retention.ms', '1234567'],
    ['max.message.bytes', '54321'],
    ['message.max.bytes', '765432'],
  ]
  for (const [name, value] of expected) {
    if (!found.some((one) => one.name === name && one.value === value)) {
      throw new Broken(`${name}=${value} is lost`)
    }
  }
  return `${expected.length} settings`
}

/**
 * A start after a clean stop reads no segment: the last byte of each partition is changed
 * meanwhile, which a scan would cut away.
 */
async function cleanStart(subject: Subject): Promise<string> {
  await loaded(subject, 'clean', 800)
  const before = await endsOf(subject, 'clean')
  await subject.stop()
  const cleanFile = path.join(subject.dataDir, CLEAN_FILE)
  if (!fs.existsSync(cleanFile)) throw new Broken('a clean stop leaves no mark')
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const last = segmentsOf(subject.dataDir, 'clean', partition).at(-1)
    if (last !== undefined && last.size > 0) flipByte(last.file, last.size - 1, 1)
  }
  const broker = await subject.start()
  if (fs.existsSync(cleanFile)) throw new Broken('the mark of a clean stop is there while it runs')
  const after = await endsOf(subject, 'clean')
  if (after.join() !== before.join()) throw new Broken('a clean start scans the segments')
  const scanned = broker.logged(/torn|rebuilt|damaged/)
  if (scanned.length > 0) throw new Broken(`a clean start says: ${scanned[0]}`)
  await subject.deleteTopic('clean')
  return `ends ${after.join(' ')}`
}

async function endsOf(subject: Subject, topic: string): Promise<number[]> {
  const connection = await subject.connect()
  const ends: number[] = []
  for (let partition = 0; partition < PARTITIONS; partition++) {
    ends.push(await offsetOf(connection, topic, partition, LATEST))
  }
  connection.close()
  return ends
}

/** A second process on the same directory says why in one sentence and leaves the first alone. */
async function secondProcess(subject: Subject): Promise<string> {
  const second = BrokerProcess.spawn({ dataDir: subject.dataDir })
  const { code } = await second.ended
  const said = second.log.filter((line) => line !== '')
  if (code !== 1) throw new Broken(`a second process ends with ${code}`)
  if (said.length !== 1 || !/ is in use by /.test(said[0] ?? '')) {
    throw new Broken(`a second process says: ${said.join('\n')}`)
  }
  await subject.createTopic('second')
  return said[0] as string
}

/** SIGTERM while producers are at work: what was acknowledged is there, the exit code is 0. */
async function stopUnderLoad(subject: Subject): Promise<string> {
  await subject.createTopic('stopped')
  const { producers, run } = subject.load('stopped', 4)
  const stops = 2
  for (let i = 0; i < stops; i++) {
    await pause(subject.random.between(100, 500))
    await subject.stop()
    const broker = await subject.start()
    const scanned = broker.logged(/torn|rebuilt|damaged/)
    if (scanned.length > 0) throw new Broken(`after a clean stop: ${scanned[0]}`)
  }
  await pause(100)
  for (const producer of producers) producer.stop()
  await run
  return `${stops} stops, ${await subject.verify('stopped', producers)} records`
}

/**
 * A disk that is full answers errors and goes on when there is room again; nothing is corrupt then,
 * nor after kill -9. Undefined: no disk can be mounted here.
 */
export async function fullDisk(
  random: Seeded,
  shards: string,
  log: (line: string) => void,
): Promise<string | undefined> {
  const disk = mountSmallDisk(FULL_DISK_BYTES)
  if (disk === undefined) return undefined
  const dataDir = path.join(disk.directory, 'data')
  const ballast = path.join(disk.directory, 'ballast')
  fs.writeFileSync(ballast, Buffer.alloc(FULL_DISK_BYTES * 0.8))
  const subject = new Subject(random, { 'odradek.shards': shards }, dataDir)
  try {
    await subject.start()
    return await inTime(fillsAndEmpties(subject, ballast))
  } catch (error) {
    await pause(300)
    log(await subject.lastWords())
    throw error
  } finally {
    await subject.end()
    disk.unmount()
  }
}

async function fillsAndEmpties(subject: Subject, ballast: string): Promise<string> {
  await subject.createTopic('full')
  const { producers, run } = subject.load('full', 3)
  const refusals = () => producers.reduce((sum, one) => sum + errorsOf(one.errors), 0)
  await until(() => refusals() >= 20, 'the disk never got full')
  await readsWhileFull(subject)
  const refused = refusals()
  const written = () => producers.reduce((sum, one) => sum + one.acknowledged.length, 0)
  const enough = written() + GOES_ON_BATCHES
  fs.rmSync(ballast)
  // No longer than it takes to see that it goes on: what is freed is full again soon.
  await until(() => written() >= enough, 'it does not go on when there is room again')
  for (const producer of producers) producer.stop()
  await run
  const records = await subject.verify('full', producers)
  await subject.kill()
  await subject.start()
  await subject.verify('full', producers)
  return `${refused} refusals, ${records} records`
}

/** Throws Broken with `otherwise` after half a minute. */
async function until(isSo: () => boolean, otherwise: string): Promise<void> {
  for (let i = 0; !isSo(); i++) {
    if (i > 3000) throw new Broken(otherwise)
    await pause(10)
  }
}

function errorsOf(errors: ReadonlyMap<string, number>): number {
  return errors.get('KAFKA_STORAGE_ERROR') ?? 0
}

/** What is there can be read, and a topic that cannot be made says so. */
async function readsWhileFull(subject: Subject): Promise<void> {
  const connection = await subject.connect()
  const start = await offsetOf(connection, 'full', 0, EARLIEST)
  const partitions = [{ partition: 0, fetchOffset: start, partitionMaxBytes: 1000 }]
  const read = await connection.ask(Fetch, 12, {
    maxWaitMs: 0,
    minBytes: 1,
    topics: [{ topic: 'full', partitions }],
  })
  connection.close()
  const found = read.responses[0]?.partitions[0]
  if (found?.errorCode !== ErrorCode.NONE || (found.records?.length ?? 0) === 0) {
    throw new Broken(`a full disk does not serve what it has: ${found?.errorCode}`)
  }
  // It may work or not, but it is answered.
  await subject.createTopic('more').catch((error) => {
    if (!(error instanceof Broken)) throw error
  })
}
