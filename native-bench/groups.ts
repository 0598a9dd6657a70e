/**
 * `node dist/native-bench/groups.js --broker NAME=HOST:PORT [--broker …]`: what groups cost in
 * brokers that run already on this machine, which take turns. Ratios are those to the first broker,
 * and more than one is in favour of it. `--only rebalance,commits,heartbeats` does less.
 * `--replay`: how our own broker starts with many groups instead.
 */
import { parseArgs } from 'node:util'
import { type Target, targetOf } from './brokers/target.ts'
import { median } from './brokers/wire.ts'
import { commits } from './groups/commits.ts'
import { heartbeats } from './groups/heartbeats.ts'
import { classicRebalance, consumerRebalance } from './groups/rebalance.ts'
import { replay } from './groups/replay.ts'

const { values } = parseArgs({
  options: {
    broker: { type: 'string', multiple: true, default: [] },
    only: { type: 'string', default: 'rebalance,commits,heartbeats' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '6' },
    members: { type: 'string', default: '100' },
    groups: { type: 'string', default: '10000' },
    replay: { type: 'boolean', default: false },
  },
})
if (values.broker.length === 0 && !values.replay)
  throw new Error('--broker NAME=HOST:PORT says whom to measure')
const targets = values.broker.map(targetOf)
const rounds = Number(values.rounds)
const timeMs = Number(values.seconds) * 1000
const members = Number(values.members)
const groups = Number(values.groups)

/** A figure of all brokers. */
interface Figure {
  readonly name: string
  /** Whether more of it is better. */
  readonly higher: boolean
  readonly digits: number
}

type Figures = Readonly<Record<string, number>>

/** Each bench, and what its figures mean. */
const benches: Readonly<
  Record<
    string,
    { run(target: Target): Promise<Figures>; figures: Readonly<Record<string, Figure>> }
  >
> = {
  classic: {
    run: async (target) => ({ ...(await classicRebalance(target, members, 5)) }),
    figures: {
      ms: { name: `classic rebalance of ${members} members, ms`, higher: false, digits: 1 },
      cpuMs: { name: 'CPU of it, ms', higher: false, digits: 1 },
    },
  },
  consumer: {
    run: async (target) => ({ ...(await consumerRebalance(target, members, 2)) }),
    figures: {
      ms: { name: `consumer rebalance of ${members} members, ms`, higher: false, digits: 1 },
      cpuMs: { name: 'CPU of it, ms', higher: false, digits: 1 },
    },
  },
  commits: {
    run: async (target) => ({ ...(await commits(target, timeMs)) }),
    figures: {
      perSecond: { name: 'OffsetCommit per second', higher: true, digits: 0 },
      perCpuSecond: { name: 'OffsetCommit per CPU second', higher: true, digits: 0 },
    },
  },
  heartbeats: {
    run: async (target) => ({ ...(await heartbeats(target, groups, timeMs * 2)) }),
    figures: {
      coreShare: { name: `share of a core, ${groups} members`, higher: false, digits: 3 },
      idleShare: { name: 'the same without heartbeats', higher: false, digits: 3 },
      cpuMicros: { name: 'CPU of a heartbeat, µs', higher: false, digits: 1 },
      residentMiB: { name: 'resident memory, MiB', higher: false, digits: 0 },
    },
  },
}

if (values.replay) {
  for (let round = 0; round < rounds; round++) console.log(await replay(groups))
}
const chosen = values.only.replace('rebalance', 'classic,consumer').split(',')
if (targets.length > 0)
  console.log(`${''.padEnd(42)}${targets.map(({ name }) => name.padStart(14)).join('')}`)
for (const [name, { run, figures }] of Object.entries(benches)) {
  if (!chosen.includes(name) || targets.length === 0) continue
  const results = targets.map((): Figures[] => [])
  for (let round = 0; round < rounds; round++) {
    for (const [i, target] of targets.entries()) results[i]?.push(await run(target))
  }
  for (const [key, figure] of Object.entries(figures)) {
    const cells = results.map((list) => median(list.map((one) => one[key] ?? Number.NaN)))
    console.log(lineOf(figure, cells))
  }
}

function lineOf({ name, higher, digits }: Figure, [first = 0, ...others]: number[]): string {
  const cells = [first, ...others].map((value) => value.toFixed(digits).padStart(14))
  const ratios = others.map((value) => `${(higher ? first / value : value / first).toFixed(2)} ×`)
  return `${name.padEnd(42)}${cells.join('')}${ratios.map((text) => text.padStart(10)).join('')}`
}
