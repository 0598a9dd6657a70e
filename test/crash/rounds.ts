/**
 * Rounds of load, kill -9, damage and restart on one data directory, each on a topic of its own.
 */
import { errorName } from '../../src/protocol/errors.ts'
import { pause, type Seeded } from '../support/seeded.ts'
import {
  cut,
  type Damage,
  damageIndex,
  deleteIndex,
  type Expected,
  flip,
  garbage,
  undamaged,
} from './damage.ts'
import { type PartitionRead, problemsOf, readPartition } from './read-back.ts'
import { type Segment, segmentsOf } from './segments.ts'
import { Broken, PARTITIONS, type Subject } from './subject.ts'

/**
 * How long load lasts before a kill, ms: sometimes within one index write, sometimes over several.
 */
function loadMs(random: Seeded): number {
  return random.chance(0.5) ? random.between(20, 400) : random.between(400, 2500)
}

/** Kills the broker several times while the same producers go on. Answers what was read back. */
export async function killRound(subject: Subject, topic: string): Promise<string> {
  const { random } = subject
  await subject.createTopic(topic)
  const { producers, run } = subject.load(topic, random.between(2, 5))
  const kills = random.between(1, 3)
  for (let i = 0; i < kills; i++) {
    await pause(loadMs(random))
    await subject.kill()
    await subject.start()
  }
  await pause(random.between(0, 200))
  for (const producer of producers) producer.stop()
  await run
  const records = await subject.verify(topic, producers)
  return `${kills} kills, ${records} records`
}

/** Load, an end, damage, and a start that has to serve exactly what is sound. */
export async function damageRound(
  subject: Subject,
  topic: string,
  damage: Damage,
): Promise<string> {
  const { random } = subject
  await subject.createTopic(topic)
  const { producers, run } = subject.load(topic, random.between(2, 5))
  await pause(loadMs(random))
  const clean = random.chance(0.3)
  if (clean) {
    for (const producer of producers) producer.stop()
    await run
    await subject.stop()
  } else {
    await subject.kill()
    for (const producer of producers) producer.abort()
    await run
  }
  const expected = damagePartitions(subject, topic, damage)
  await subject.start()
  const reads = await readDamaged(subject, topic, expected)
  const again = random.chance(0.5)
  if (again) {
    await subject.kill()
    await subject.start()
    await readDamaged(subject, topic, expected)
  }
  await appendBehind(subject, topic, reads)
  const served = expected.reduce((sum, { sound }) => sum + sound.length, 0)
  return `${damage} after ${clean ? 'a stop' : 'kill -9'}, ${served} batches${again ? ', twice' : ''}`
}

function damagePartitions(subject: Subject, topic: string, damage: Damage): Expected[] {
  const { dataDir, random } = subject
  if (damage === 'index-deleted') deleteIndex(dataDir)
  if (damage === 'index-damaged') damageIndex(dataDir, random)
  return Array.from({ length: PARTITIONS }, (_, partition) => {
    const segments = segmentsOf(dataDir, topic, partition)
    const isHit = segments.some(({ batches }) => batches.length > 0) && random.chance(0.7)
    return isHit ? damagePartition(segments, damage, random) : undamaged(segments)
  })
}

function damagePartition(segments: Segment[], damage: Damage, random: Seeded): Expected {
  if (damage === 'cut') return cut(segments, random)
  if (damage === 'garbage') return garbage(segments, random)
  if (damage === 'flip') return flip(segments, random)
  return undamaged(segments)
}

async function readDamaged(
  subject: Subject,
  topic: string,
  expected: readonly Expected[],
): Promise<PartitionRead[]> {
  const connection = await subject.connect()
  const reads: PartitionRead[] = []
  for (const [partition, one] of expected.entries()) {
    const nextSound = (offset: number) =>
      one.sound.find(({ baseOffset }) => baseOffset > offset)?.baseOffset
    const read = await readPartition(connection, topic, partition, nextSound)
    const problems = differences(read, one)
    if (problems.length > 0) {
      throw new Broken(problems.map((text) => `${topic}-${partition}: ${text}`).join('\n'))
    }
    reads.push(read)
  }
  connection.close()
  return reads
}

function differences(read: PartitionRead, expected: Expected): string[] {
  const problems: string[] = []
  const { ends, sound, damaged } = expected
  if (!ends.includes(read.logEndOffset)) {
    problems.push(`the log ends at ${read.logEndOffset} instead of ${ends.join(' or ')}`)
  }
  for (const offset of read.corruptAt) {
    if (damaged.some(({ from, to }) => offset >= from && offset < to)) continue
    problems.push(`offset ${offset} answers ${errorName(2)} but is not damaged`)
  }
  for (let i = 0; i < Math.max(sound.length, read.batches.length); i++) {
    const want = sound[i]
    const got = read.batches[i]
    if (want !== undefined && got?.bytes.equals(want.bytes)) continue
    const [wanted, found] = [want?.baseOffset ?? 'the end', got?.baseOffset ?? 'the end']
    problems.push(`batch ${i} of ${sound.length} is that at ${found} instead of ${wanted}`)
    break
  }
  return problems
}

/** New producers go on behind what is there; what they are told is there has to be there. */
async function appendBehind(
  subject: Subject,
  topic: string,
  before: readonly PartitionRead[],
): Promise<void> {
  const { producers, run } = subject.load(topic, 2)
  await pause(100)
  for (const producer of producers) producer.stop()
  await run
  const connection = await subject.connect()
  for (const [partition, { logEndOffset }] of before.entries()) {
    const nextSound = (offset: number) => (offset < logEndOffset ? logEndOffset : undefined)
    const read = await readPartition(connection, topic, partition, nextSound)
    const batches = read.batches.filter(({ baseOffset }) => baseOffset >= logEndOffset)
    const tail = { ...read, logStartOffset: logEndOffset, batches }
    const problems = problemsOf(partition, tail, producers)
    if (problems.length > 0) throw new Broken(`behind the damage: ${problems.join('\n')}`)
  }
  connection.close()
}
