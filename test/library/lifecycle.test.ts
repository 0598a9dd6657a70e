/**
 * Brokers that come and go in this process leave nothing behind. The long version is
 * `node dist/test/library/run.js`.
 */
import test, { type ExecutionContext } from 'ava'
import type { BrokerOptions } from '../../src/index.ts'
import { atOnce, type Campaign, connections, failures, inARow, races } from './lives.ts'
import { keepTemporaryApart, leakedSince, resourcesNow } from './resources.ts'

keepTemporaryApart()

/** Runs it twice: what the first time loads stays, what the second adds is a leak. */
async function leavesNothing(
  t: ExecutionContext,
  run: (campaign: Campaign) => Promise<string[]>,
  campaign: Campaign,
): Promise<void> {
  t.timeout(120_000)
  await run({ ...campaign, count: Math.min(campaign.count, 2) })
  const before = resourcesNow()
  t.deepEqual(await run(campaign), [])
  t.deepEqual(await leakedSince(before), [])
}

const kinds: Readonly<Record<string, BrokerOptions>> = {
  'in memory': { storage: 'memory' },
  'on disk': {},
  'with a listener and two threads': { listen: true, threads: 2 },
  'on the thread of the program': { threads: 0, listen: true },
}

for (const [kind, options] of Object.entries(kinds)) {
  test.serial(`brokers ${kind}, one after the other, leave nothing behind`, async (t) => {
    await leavesNothing(t, inARow, { count: 10, options })
  })
}

test.serial('brokers at the same time leave nothing behind', async (t) => {
  await leavesNothing(t, atOnce, { count: 6, options: { listen: true } })
})

for (const threads of [0, 1, 2]) {
  test.serial(`a start that fails leaves nothing behind, threads: ${threads}`, async (t) => {
    await leavesNothing(t, failures, { count: 2, options: { threads } })
  })
}

test.serial('connections that come and go leave nothing behind', async (t) => {
  const options = { storage: 'memory', listen: true, threads: 2 } as const
  await leavesNothing(t, connections, { count: 300, options })
})

for (const threads of [1, 2]) {
  test.serial(`a topic takes records as soon as it is made, threads: ${threads}`, async (t) => {
    await leavesNothing(t, races, { count: 40, options: { listen: true, threads } })
  })
}
