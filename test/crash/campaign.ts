/** Many rounds, on one shard and on three, until one breaks a promise. */
import { Seeded } from '../support/seeded.ts'
import { DAMAGES } from './damage.ts'
import { damageRound, killRound } from './rounds.ts'
import { Subject } from './subject.ts'

/** Rounds on one data directory before the next one begins. */
const ROUNDS_OF_SUBJECT = 10

/** What to run. */
export interface Campaign {
  readonly rounds: number
  readonly seed: number
  readonly log: (line: string) => void
}

/**
 * Runs all rounds; answers how many failed. A round that failed ends its data directory, which is
 * kept.
 */
export async function campaign({ rounds, seed, log }: Campaign): Promise<number> {
  const random = new Seeded(seed)
  let failed = 0
  let subject: Subject | undefined
  for (let round = 0; round < rounds; round++) {
    if (round % ROUNDS_OF_SUBJECT === 0) await subject?.dispose()
    if (subject === undefined || round % ROUNDS_OF_SUBJECT === 0) {
      subject = await newSubject(random, round)
    }
    try {
      const what = await oneRound(subject, round)
      log(`round ${round}: ${what}, ready in ${Math.round(subject.broker?.readyMs ?? 0)} ms`)
    } catch (error) {
      failed++
      log(`round ${round} FAILED (seed ${seed}): ${(error as Error).stack}`)
      log(`the data directory is kept: ${subject.dataDir}`)
      log(subject.broker?.log.slice(-30).join('\n') ?? 'the broker is not there')
      await subject.kill()
      subject = undefined
    }
  }
  await subject?.dispose()
  return failed
}

async function newSubject(random: Seeded, round: number): Promise<Subject> {
  const shards = (round / ROUNDS_OF_SUBJECT) % 2 < 1 ? '1' : '3'
  const subject = new Subject(random.fork(), { 'odradek.shards': shards })
  await subject.start()
  return subject
}

/** Every second round only kills; the others damage something as well. */
async function oneRound(subject: Subject, round: number): Promise<string> {
  const topic = `round-${round}`
  const old = subject.topics.at(-2)
  if (old !== undefined) await subject.deleteTopic(old)
  if (round % 2 === 0) return killRound(subject, topic)
  const damage = DAMAGES[((round - 1) / 2) % DAMAGES.length] ?? 'cut'
  return damageRound(subject, topic, damage)
}
