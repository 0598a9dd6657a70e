/**
 * The crash test: `node dist/test/crash/run.js --rounds 30 --seed 7`. Scenarios first
 * (`--only NAME`: that one), then rounds of kill -9. `--groups`: rounds with members of groups
 * instead, `--transactions`: with transactional producers.
 */
import { parseArgs } from 'node:util'
import { Seeded } from '../support/seeded.ts'
import { runGroupRounds, runRounds, runScenarios, runTransactionRounds } from './campaign.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string' },
    groups: { type: 'boolean', default: false },
    transactions: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds ?? 30)
const seed = Number(values.seed ?? new Seeded(Date.now()).between(1, 1_000_000))

console.log(`crash test, ${rounds} rounds, seed ${seed}`)
const { only } = values
const what = { rounds, seed, only, shards: ['1', '3'], log: (line: string) => console.log(line) }
const failed = await run()
console.log(failed === 0 ? 'all promises held' : `${failed} failed, seed ${seed}`)
process.exitCode = failed === 0 ? 0 : 1

async function run(): Promise<number> {
  if (values.groups) return await runGroupRounds(what)
  if (values.transactions) return await runTransactionRounds(what)
  return (await runScenarios(what)) + (await runRounds(what))
}
