/**
 * Brokers that come and go inside one process, long enough for a leak to be seen:
 * `node dist/test/library/run.js` after a build, all campaigns at their full length, or
 * `--only NAME` (cycles-disk, at-once-memory, …) and `--count 100`. Looks at threads, descriptors,
 * handles, directories and memory before and after; exit code 1 where something is left.
 */

import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import type { BrokerOptions } from '../../src/index.ts'
import {
  atOnce,
  type Campaign,
  connections,
  failures,
  inARow,
  races,
  residentMiB,
} from './lives.ts'
import { keepTemporaryApart, leakedSince, resourcesNow } from './resources.ts'

interface Plan {
  readonly run: (campaign: Campaign) => Promise<string[]>
  readonly count: number
  readonly options: BrokerOptions
}

const MEMORY = { storage: 'memory' } as const
const LISTEN = { listen: true } as const

const plans: Readonly<Record<string, Plan>> = {
  'cycles-memory': { run: inARow, count: 1000, options: MEMORY },
  'cycles-disk': { run: inARow, count: 1000, options: {} },
  'cycles-listen': { run: inARow, count: 100, options: { ...LISTEN, threads: 2 } },
  'cycles-local': { run: inARow, count: 400, options: { threads: 0 } },
  failures: { run: failures, count: 50, options: { threads: 2 } },
  'at-once-memory': { run: atOnce, count: 16, options: MEMORY },
  'at-once-disk': { run: atOnce, count: 16, options: LISTEN },
  connections: { run: connections, count: 10_000, options: { ...MEMORY, ...LISTEN } },
  'connections-threads': { run: connections, count: 10_000, options: { ...LISTEN, threads: 2 } },
  'races-memory': { run: races, count: 10_000, options: { ...MEMORY, ...LISTEN } },
  'races-disk': { run: races, count: 10_000, options: { ...LISTEN, threads: 2 } },
}

/** Beyond this a campaign's growth, from its first quarter to its end, is called a leak. */
const GROWTH_MIB_MAX = 32

// The flag takes effect for what is compiled from now on, so the name is looked up later.
setFlagsFromString('--expose-gc')
const { values } = parseArgs({
  options: { only: { type: 'string' }, count: { type: 'string' } },
})
keepTemporaryApart()
let failed = 0
for (const [name, plan] of Object.entries(plans)) {
  if (values.only !== undefined && values.only !== name) continue
  const faults = await watch(name, plan)
  for (const fault of faults.slice(0, 20)) console.log(`  FAULT ${fault}`)
  failed += faults.length
}
console.log(failed === 0 ? 'nothing is left' : `${failed} faults`)
process.exitCode = failed === 0 ? 0 : 1

async function watch(name: string, { run, count: fullCount, options }: Plan): Promise<string[]> {
  const count = Number(values.count ?? fullCount)
  // What the first broker of a process loads stays: the threads of libuv, code, pools.
  await run({ count: Math.min(count, 4), options })
  const before = resourcesNow()
  let earlyMiB = 0
  const early = Math.floor(count / 4)
  const startedMs = performance.now()
  const faults = await run({
    count,
    options,
    onStep: async (step) => {
      if (step === early) earlyMiB = await residentMiB()
    },
  })
  const seconds = (performance.now() - startedMs) / 1000
  faults.push(...(await leakedSince(before)))
  const now = resourcesNow()
  const lateMiB = await residentMiB()
  if (earlyMiB > 0 && lateMiB - earlyMiB > GROWTH_MIB_MAX) {
    faults.push(`memory: ${lateMiB} MiB, were ${earlyMiB} MiB`)
  }
  const memory = `${before.residentMiB} → ${earlyMiB || '?'} → ${lateMiB} MiB`
  const held = `${now.threads} threads, ${now.descriptors} descriptors`
  console.log(`${name}: ${count} in ${seconds.toFixed(1)} s, ${held}, ${memory}`)
  return faults
}
