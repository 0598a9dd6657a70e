import test from 'ava'
import { pastSeeds } from './seeds.ts'
import { simulate } from './simulate.ts'

// Steps, not time, bound a run, so that it is the same on every machine.
const STEPS = 12_000

test('seeds that once broke a promise do not any more', async (t) => {
  for (const seed of pastSeeds) await t.notThrowsAsync(simulate({ seed, steps: STEPS }))
})

test('whatever crashes, tears and fills up, every promise is kept', async (t) => {
  let acknowledged = 0
  let crashes = 0
  for (let seed = 1000; seed < 1012; seed++) {
    const outcome = await simulate({ seed, steps: STEPS })
    acknowledged += outcome.acknowledged
    crashes += outcome.crashes
  }
  t.true(acknowledged > 5000, `${acknowledged} acknowledged`)
  t.true(crashes > 10, `${crashes} crashes`)
})

test('a disk that forgets what it accepted is caught: the canary', async (t) => {
  for (const seed of [1, 2, 3]) {
    await t.throwsAsync(simulate({ seed, steps: 3 * STEPS, canary: true }), { name: 'Broken' })
  }
})

test('the same seed gives the same run', async (t) => {
  const runs = [await simulate({ seed: 5, steps: 2000 }), await simulate({ seed: 5, steps: 2000 })]
  t.deepEqual(runs[0], runs[1])
})
