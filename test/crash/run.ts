/**
 * The crash test: `node dist/test/crash/run.js --rounds 30 --seed 7`. Each round has a seed of its
 * own that follows from the first; a failure prints it, keeps the data directory, and exits with 1.
 */
import { parseArgs } from 'node:util'
import { Seeded } from '../support/seeded.ts'
import { campaign } from './campaign.ts'

const { values } = parseArgs({
  options: { rounds: { type: 'string' }, seed: { type: 'string' } },
})
const rounds = Number(values.rounds ?? 30)
const seed = Number(values.seed ?? Math.floor(new Seeded(Date.now()).next() * 1e9))

console.log(`crash test, ${rounds} rounds, seed ${seed}`)
const failed = await campaign({ rounds, seed, log: (line) => console.log(line) })
console.log(failed === 0 ? 'all promises held' : `${failed} rounds failed, seed ${seed}`)
process.exitCode = failed === 0 ? 0 : 1
