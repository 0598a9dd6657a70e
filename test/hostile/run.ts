/**
 * The hostile test: `node dist/test/hostile/run.js --minutes 2 --seed 7 [--only ATTACK] [--shards
 * 1,3]`.
 * A failure prints the seed and makes the exit code 1.
 */
import { parseArgs } from 'node:util'
import { Seeded } from '../support/seeded.ts'
import { connectionLimits } from './limits.ts'
import { siege } from './siege.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string' },
    shards: { type: 'string' },
  },
})
const minutes = Number(values.minutes ?? 2)
const seed = Number(values.seed ?? new Seeded(Date.now()).between(1, 1_000_000))

console.log(`hostile test, ${minutes} minutes, seed ${seed}`)
const faults: string[] = []
const counts = (values.shards ?? '1,3').split(',')
for (const shards of counts) {
  const ms = (minutes * 60_000) / counts.length
  const log = (line: string) => console.log(`shards ${shards}: ${line}`)
  faults.push(...(await siege({ ms, seed, shards, only: values.only, log })))
  if (values.only === undefined) faults.push(...(await connectionLimits(shards)))
}
for (const fault of faults) console.log(`FAILED (seed ${seed}): ${fault}`)
console.log(faults.length === 0 ? 'the broker held' : `${faults.length} faults, seed ${seed}`)
process.exitCode = faults.length === 0 ? 0 : 1
