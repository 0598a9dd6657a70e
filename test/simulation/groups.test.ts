/**
 * Fifty members of a classic group against the coordinator with a virtual clock: they join, sync,
 * commit, fall silent, come back, while the coordinator restarts and its disk refuses. The rules
 * know nothing of the code: what members were told, and what was acknowledged.
 */
import test from 'ava'
import { ErrorCode } from '../../src/protocol/errors.ts'
import { ConsumerWorld } from '../coordinator/consumer-world.ts'
import { Seeded } from '../support/seeded.ts'
import { type Rules, SimulatedMember } from './group-member.ts'

const MEMBERS = 50
const PARTITIONS = 20
const STEPS = 3000
const STEP_MS = 200
/** Longer than any session and rebalance timeout of the members together. */
const CALM_MS = 120_000
const SEEDS = [1, 2, 3, 5, 8]
/** Of the canary: those of a few generations. */
const FORGOTTEN_RECORDS = 1500

/** What a run ended with. */
interface Outcome {
  /** Rules that were broken. */
  readonly broken: readonly string[]
  readonly generations: number
  readonly records: number
}

for (const seed of SEEDS) {
  test(`fifty members keep their promises in the simulation of seed ${seed}`, (t) => {
    const { broken, generations, records } = simulate(seed)
    t.log(`${generations} generations, ${records} records`)
    t.deepEqual(broken, [], `seed ${seed}`)
    t.true(generations > 20, 'there were many generations')
  })
}

test('a coordinator that forgets what it acknowledged is caught: the canary', (t) => {
  for (const seed of SEEDS.slice(0, 3)) {
    const { broken } = simulate(seed, FORGOTTEN_RECORDS)
    t.true(
      broken.some((what) => what.includes('two owners')),
      `seed ${seed}: generations that come again`,
    )
    t.true(
      broken.some((what) => what.includes('was acknowledged')),
      `seed ${seed}: commits that are lost`,
    )
  }
})

/** `forgotten`: records that are lost whenever the coordinator starts again. */
function simulate(seed: number, forgotten = 0): Outcome {
  const random = new Seeded(seed)
  const world = new ConsumerWorld({ 'offsets.retention.minutes': '100000' })
  world.addTopic('t', PARTITIONS)
  const rules: Rules = { owners: new Map(), acknowledged: new Map(), broken: [] }
  const members = Array.from({ length: MEMBERS }, (_, i) => {
    return new SimulatedMember(`m${i}`, world, rules, random, PARTITIONS)
  })
  for (let step = 0; step < STEPS; step++) {
    disturb(world, members, random, forgotten)
    for (const member of members) if (random.next() < 0.5) member.act()
    world.tick(STEP_MS)
  }
  for (const member of members) member.wake()
  for (let ms = 0; ms < CALM_MS; ms += STEP_MS) {
    for (const member of members) member.act()
    world.tick(STEP_MS)
  }
  checkOwners(members, rules)
  world.restartWithout(forgotten)
  checkCommits(world, rules)
  const generations = new Set([...rules.owners.keys()].map((key) => key.split('/')[0])).size
  return { broken: rules.broken, generations, records: world.log.length }
}

/** Crashes, pauses, restarts of the coordinator and a disk that refuses. */
function disturb(
  world: ConsumerWorld,
  members: readonly SimulatedMember[],
  random: Seeded,
  forgotten: number,
): void {
  const one = members[Math.floor(random.next() * members.length)]!
  const dice = random.next()
  if (dice < 0.01) one.crash()
  else if (dice < 0.02) one.pause(random.next() * 30_000)
  else if (dice < 0.03) one.leave()
  else if (dice < 0.033) restart(world, members, forgotten)
  else if (dice < 0.05) world.nextAppend = ErrorCode.KAFKA_STORAGE_ERROR
}

/** Held requests are lost with the coordinator, as with a broker that was killed. */
function restart(
  world: ConsumerWorld,
  members: readonly SimulatedMember[],
  forgotten: number,
): void {
  world.restartWithout(forgotten)
  for (const member of members) member.connectionLost()
}

/** Rule: once the faults have stopped, each partition has one owner. */
function checkOwners(members: readonly SimulatedMember[], rules: Rules): void {
  const owned = members.flatMap(({ assigned }) => assigned)
  if (owned.length === PARTITIONS && new Set(owned).size === PARTITIONS) return
  rules.broken.push(`at the end ${owned.sort((a, b) => a - b).join()} are owned`)
}

/** Rule: the last commit that was acknowledged holds. */
function checkCommits(world: ConsumerWorld, rules: Rules): void {
  for (const [partition, offset] of rules.acknowledged) {
    const committed = world.service.coordinator.offsets.get('g', 't', partition)?.offset
    if (committed === offset) continue
    rules.broken.push(`${partition} has the commit ${committed}, ${offset} was acknowledged`)
  }
}
