import test from 'ava'
import { connectionLimits } from './limits.ts'
import { siege } from './siege.ts'

const SEED = 11

test.serial('a broker under attack goes on to serve and keeps its memory', async (t) => {
  t.timeout(120_000)
  const lines: string[] = []
  const log = (line: string) => lines.push(line)
  const faults = await siege({ ms: 10_000, seed: SEED, shards: '1', log })
  t.deepEqual(faults, [], `seed ${SEED}\n${lines.join('\n')}`)
})

test.serial('no more connections are served than are allowed, and none that is idle', async (t) => {
  t.timeout(120_000)
  t.deepEqual(await connectionLimits('1'), [])
})
