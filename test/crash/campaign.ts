/** The scenarios and then many rounds, on one shard and on three. */
import { pause, Seeded } from '../support/seeded.ts'
import { DAMAGES } from './damage.ts'
import { CrashGroups, GROUP_CONFIGS } from './group-rounds.ts'
import { damageRound, killRound } from './rounds.ts'
import { fullDisk, inTime, type Scenario, scenarios } from './scenarios.ts'
import { Subject } from './subject.ts'
import { CrashTransactions } from './transactions.ts'

/** Rounds on one data directory before the next one begins. */
const ROUNDS_OF_SUBJECT = 10

/** What to run. */
export interface Campaign {
  readonly rounds: number
  readonly seed: number
  /** Of the threads that hold partitions; rounds take them in turn. */
  readonly shards: readonly string[]
  /** The one scenario to run; default: all. */
  readonly only?: string | undefined
  readonly log: (line: string) => void
}

/** Runs each scenario on each number of shards; answers how many failed. */
export async function runScenarios({ seed, shards, only, log }: Campaign): Promise<number> {
  const random = new Seeded(seed)
  let failed = 0
  for (const count of shards) {
    for (const [name, scenario] of Object.entries(scenarios)) {
      if (only !== undefined && only !== name) continue
      if (!(await runScenario(name, scenario, random.fork(), count, log))) failed++
    }
    if (only !== undefined && only !== 'fullDisk') continue
    try {
      const began = performance.now()
      const what = await fullDisk(random.fork(), count, log)
      const ms = Math.round(performance.now() - began)
      log(`fullDisk, shards ${count}, ${ms} ms: ${what ?? 'SKIPPED, no tmpfs can be mounted here'}`)
    } catch (error) {
      failed++
      log(`fullDisk, shards ${count} FAILED (seed ${seed}): ${(error as Error).stack}`)
    }
  }
  return failed
}

async function runScenario(
  name: string,
  scenario: Scenario,
  random: Seeded,
  shards: string,
  log: Campaign['log'],
): Promise<boolean> {
  const subject = new Subject(random, { 'odradek.shards': shards })
  try {
    await subject.start()
    const began = performance.now()
    const what = await inTime(scenario(subject))
    log(`${name}, shards ${shards}, ${Math.round(performance.now() - began)} ms: ${what}`)
    await subject.dispose()
    return true
  } catch (error) {
    log(`${name}, shards ${shards} FAILED: ${(error as Error).stack}`)
    await keep(subject, log)
    return false
  }
}

/**
 * Runs all rounds; answers how many failed. A round that failed ends its data directory, which is
 * kept.
 */
export async function runRounds({ rounds, seed, shards, log }: Campaign): Promise<number> {
  const random = new Seeded(seed)
  let failed = 0
  let subject: Subject | undefined
  for (let round = 0; round < rounds; round++) {
    const isNew = round % ROUNDS_OF_SUBJECT === 0
    if (isNew) await subject?.dispose()
    if (subject === undefined || isNew) {
      const count = shards[Math.floor(round / ROUNDS_OF_SUBJECT) % shards.length] ?? '1'
      subject = new Subject(random.fork(), { 'odradek.shards': count })
      await subject.start()
    }
    try {
      const what = await oneRound(subject, round)
      log(`round ${round}: ${what}, ready in ${Math.round(subject.broker?.readyMs ?? 0)} ms`)
    } catch (error) {
      failed++
      log(`round ${round} FAILED (seed ${seed}): ${(error as Error).stack}`)
      await keep(subject, log)
      subject = undefined
    }
  }
  await subject?.dispose()
  return failed
}

/**
 * As runRounds, with groups in place of producers: they live as long as their data directory.
 * Answers how many failed.
 */
export function runGroupRounds(campaign: Campaign): Promise<number> {
  return runLivingRounds(campaign, 'groups', GROUP_CONFIGS, (subject) => new CrashGroups(subject))
}

/** The same with transactional producers. */
export function runTransactionRounds(campaign: Campaign): Promise<number> {
  return runLivingRounds(campaign, 'transactions', {}, (subject) => new CrashTransactions(subject))
}

/** Clients that live as long as their data directory. */
async function runLivingRounds(
  { rounds, seed, shards, log }: Campaign,
  what: string,
  settings: Readonly<Record<string, string>>,
  clientsOf: (subject: Subject) => {
    begin(): Promise<void>
    round(): Promise<string>
    end(): Promise<unknown>
  },
): Promise<number> {
  const random = new Seeded(seed)
  let failed = 0
  for (let first = 0; first < rounds; first += ROUNDS_OF_SUBJECT) {
    const count = shards[(first / ROUNDS_OF_SUBJECT) % shards.length] ?? '1'
    const configs = { ...settings, 'odradek.shards': count }
    const subject = new Subject(random.fork(), configs)
    await subject.start()
    const clients = clientsOf(subject)
    try {
      await clients.begin()
      for (let round = first; round < Math.min(rounds, first + ROUNDS_OF_SUBJECT); round++) {
        log(`round ${round}, shards ${count}: ${await clients.round()}`)
      }
      await clients.end()
      await subject.dispose()
    } catch (error) {
      failed++
      log(`${what} FAILED (seed ${seed}): ${(error as Error).stack}`)
      await clients.end().catch(() => {})
      await keep(subject, log)
    }
  }
  return failed
}

/** What a failure leaves for those who look into it. */
async function keep(subject: Subject, log: Campaign['log']): Promise<void> {
  await pause(100)
  log(`the data directory is kept: ${subject.dataDir}`)
  log(await subject.lastWords())
  await subject.end()
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
