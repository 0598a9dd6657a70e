import test from 'ava'
import { runGroupRounds, runRounds, runScenarios, runTransactionRounds } from './campaign.ts'

const SEED = 4

test.serial('what was acknowledged survives kill -9 and damage', async (t) => {
  t.timeout(600_000)
  const lines: string[] = []
  const log = (line: string) => lines.push(line)
  const failed = await runRounds({ rounds: 4, seed: SEED, shards: ['3'], log })
  t.is(failed, 0, lines.join('\n'))
})

test.serial('topics, settings, deleted records and stops survive', async (t) => {
  t.timeout(600_000)
  const lines: string[] = []
  const log = (line: string) => lines.push(line)
  const failed = await runScenarios({ rounds: 0, seed: SEED, shards: ['1'], log })
  for (const line of lines) if (line.includes('SKIPPED')) t.log(line)
  t.is(failed, 0, lines.join('\n'))
})

test.serial('groups of all kinds survive kill -9', async (t) => {
  t.timeout(600_000)
  const lines: string[] = []
  const log = (line: string) => lines.push(line)
  const failed = await runGroupRounds({ rounds: 3, seed: SEED, shards: ['3'], log })
  t.is(failed, 0, lines.join('\n'))
})

test.serial('no transaction is committed by half for kill -9', async (t) => {
  t.timeout(600_000)
  const lines: string[] = []
  const log = (line: string) => lines.push(line)
  const failed = await runTransactionRounds({ rounds: 4, seed: SEED, shards: ['3'], log })
  t.is(failed, 0, lines.join('\n'))
})
