/**
 * `node dist/native-bench/compaction.js --broker NAME=HOST:PORT [--broker …]`: what compaction
 * costs in brokers that run already on this machine, and what producers notice of it. Brokers take
 * turns; the first round of each is that of a cold process.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { batchOf } from './batches.ts'
import { cpuSeconds, type Target, targetOf } from './brokers/target.ts'
import { prepare, Wire } from './brokers/wire.ts'
import { compact, fill, lookOften, produce, sizeOf, watch } from './compaction/log.ts'

const MIB = 1024 * 1024
const IDLE_MS = 3000
/** What is left of it has ended by then. */
const QUIET_MS = 5000
const PRODUCE_EVERY_MS = 2

const { values } = parseArgs({
  options: {
    broker: { type: 'string', multiple: true, default: [] },
    mebibytes: { type: 'string', default: '1024' },
    rounds: { type: 'string', default: '2' },
    only: { type: 'string', default: 'cpu,latency' },
  },
})
if (values.broker.length === 0) throw new Error('--broker NAME=HOST:PORT says whom to measure')
const targets = values.broker.map(targetOf)
const records = Number(values.mebibytes) * 1024

for (const target of targets) {
  const wire = await Wire.open(target)
  await lookOften(wire)
  wire.close()
}

for (let round = 0; round < Number(values.rounds); round++) {
  for (const target of targets) {
    if (values.only.includes('cpu')) await measureCpu(target)
    if (values.only.includes('latency')) await measureLatency(target)
  }
}

/** The processor time of a compaction, without what the broker takes when it does nothing. */
async function measureCpu(target: Target): Promise<void> {
  const wire = await Wire.open(target)
  const topic = `compaction-${Date.now()}`
  await fill(wire, topic, records)
  const before = await sizeOf(wire, topic)
  await sleep(IDLE_MS)
  const [cpuFrom, beganMs] = [cpuSeconds(target), performance.now()]
  let spent = 0
  let seconds = 0
  await compact(wire, topic)
  const onShrink = () => {
    seconds = (performance.now() - beganMs) / 1000
    spent = cpuSeconds(target) - cpuFrom
  }
  const after = await watch(wire, topic, before, { quietMs: QUIET_MS, onShrink })
  // Not before: a JVM has much to do behind a load.
  const idleFrom = cpuSeconds(target)
  await sleep(IDLE_MS)
  const idleShare = (cpuSeconds(target) - idleFrom) / (IDLE_MS / 1000)
  const cpu = spent - idleShare * seconds
  wire.close()
  const sizes = `${(before / MIB).toFixed(0)} MiB to ${(after / MIB).toFixed(0)} MiB`
  console.log(
    `${target.name.padEnd(10)} ${sizes}: ${cpu.toFixed(2)} s of CPU, ` +
      `${(before / MIB / cpu).toFixed(0)} MiB per CPU second, within ${seconds.toFixed(1)} s`,
  )
}

/** Latencies of a producer, of 1 KiB each to another topic, without a compaction and with one. */
async function measureLatency(target: Target): Promise<void> {
  const wire = await Wire.open(target)
  const topic = `compaction-${Date.now()}`
  await fill(wire, topic, records)
  const size = await sizeOf(wire, topic)
  const producer = await Wire.open(target)
  await prepare(producer, `${topic}-beside`, 1)
  await latencies(producer, `${topic}-beside`, sleep(IDLE_MS))
  const without = await latencies(producer, `${topic}-beside`, sleep(IDLE_MS * 3))
  await compact(wire, topic)
  const ended = watch(wire, topic, size, { quietMs: 0, onShrink: () => {} })
  const during = await latencies(producer, `${topic}-beside`, ended)
  producer.close()
  wire.close()
  const text = (list: readonly number[]) =>
    [0.5, 0.99, 0.999].map((share) => quantile(list, share).toFixed(2)).join(' / ')
  const ratio = quantile(during, 0.99) / quantile(without, 0.99)
  console.log(
    `${target.name.padEnd(10)} produce p50 / p99 / p99.9, ms: without ${text(without)}, ` +
      `during a compaction ${text(during)}; p99 ${ratio.toFixed(2)} ×`,
  )
}

/** Sends at an even pace until `end`, and answers how long each took. */
async function latencies(wire: Wire, topic: string, end: Promise<unknown>): Promise<number[]> {
  const batch = batchOf(1, 1024)
  const list: number[] = []
  const sends: Promise<void>[] = []
  const one = async () => {
    const beganMs = performance.now()
    await produce(wire, topic, batch)
    list.push(performance.now() - beganMs)
  }
  const timer = setInterval(() => sends.push(one()), PRODUCE_EVERY_MS)
  await end
  clearInterval(timer)
  await Promise.all(sends)
  return list
}

function quantile(list: readonly number[], share: number): number {
  const sorted = [...list].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
