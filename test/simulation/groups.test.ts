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

for (const seed of SEEDS) {
  test(`fifty members keep their promises in the simulation of seed ${seed}`, (t) => {
    const random = new Seeded(seed)
    const world = new ConsumerWorld({ 'offsets.retention.minutes': '100000' })
    world.addTopic('t', PARTITIONS)
    const rules: Rules = { owners: new Map(), acknowledged: new Map(), broken: [] }
    const members = Array.from({ length: MEMBERS }, (_, i) => {
      return new SimulatedMember(`m${i}`, world, rules, random, PARTITIONS)
    })
    for (let step = 0; step < STEPS; step++) {
      disturb(world, members, random)
      for (const member of members) if (random.next() < 0.5) member.act()
      world.tick(STEP_MS)
    }
    for (const member of members) member.wake()
    for (let ms = 0; ms < CALM_MS; ms += STEP_MS) {
      for (const member of members) member.act()
      world.tick(STEP_MS)
    }
    t.deepEqual(rules.broken, [], `seed ${seed}`)
    t.deepEqual(ownersNow(members), partitionsOf(), `seed ${seed}: each partition has an owner`)
    world.restart()
    for (const [partition, offset] of rules.acknowledged) {
      const committed = world.service.coordinator.offsets.get('g', 't', partition)
      t.is(committed?.offset, offset, `seed ${seed}: the last commit of partition ${partition}`)
    }
    const generations = new Set([...rules.owners.keys()].map((key) => key.split('/')[0])).size
    t.log(`${generations} generations, ${world.log.length} records`)
    t.true(generations > 20, 'there were many generations')
  })
}

/** Crashes, pauses, restarts of the coordinator and a disk that refuses. */
function disturb(world: ConsumerWorld, members: readonly SimulatedMember[], random: Seeded): void {
  const one = members[Math.floor(random.next() * members.length)]!
  const dice = random.next()
  if (dice < 0.01) one.crash()
  else if (dice < 0.02) one.pause(random.next() * 30_000)
  else if (dice < 0.03) one.leave()
  else if (dice < 0.033) restart(world, members)
  else if (dice < 0.05) world.nextAppend = ErrorCode.KAFKA_STORAGE_ERROR
}

/** Held requests are lost with the coordinator, as with a broker that was killed. */
function restart(world: ConsumerWorld, members: readonly SimulatedMember[]): void {
  world.restart()
  for (const member of members) member.connectionLost()
}

function ownersNow(members: readonly SimulatedMember[]): number[] {
  return members.flatMap(({ assigned }) => assigned).sort((a, b) => a - b)
}

function partitionsOf(): number[] {
  return Array.from({ length: PARTITIONS }, (_, i) => i)
}
