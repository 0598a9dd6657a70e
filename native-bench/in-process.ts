/**
 * `node dist/native-bench/in-process.js`: our own client at a broker in the same process, over a
 * message port and over TCP on loopback in turns: records per second, and the time from send to
 * receipt of single records. CPU time is that of client and broker together.
 */
import { parseArgs } from 'node:util'
import { Consumer } from '../src/client/consumer.ts'
import { Producer } from '../src/client/producer.ts'
import { Broker } from '../src/library/broker.ts'
import { type Figures, sendByCalls, startClock, timed } from './clients/job.ts'

const PARTITIONS = 4
const WARM_UP_ROUNDS = 1
const SINGLES = 2000
const SINGLES_BEFORE = 500

const { values } = parseArgs({
  options: {
    mebibytes: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '5' },
  },
})
await using broker = await Broker.start({ listen: true })
const ways = {
  port: () => ({ port: broker.connect() }),
  tcp: () => ({ bootstrapServers: broker.bootstrapServers }),
}
type Way = keyof typeof ways

for (const recordBytes of [100, 1024]) await compareStreams(recordBytes)
await compareSingles()

async function compareStreams(recordBytes: number): Promise<void> {
  const records = Math.floor((Number(values.mebibytes) * 2 ** 20) / recordBytes)
  const results = new Map<string, Figures[]>()
  for (let round = -WARM_UP_ROUNDS; round < Number(values.rounds); round++) {
    for (const way of Object.keys(ways) as Way[]) {
      const topic = `${way}-${recordBytes}-${round}`
      await broker.admin.createTopics([{ topic, numPartitions: PARTITIONS }])
      const produced = await produce(way, topic, recordBytes, records)
      const consumed = await consume(way, topic, records)
      await broker.admin.deleteTopics([topic])
      if (round < 0) continue
      push(results, `produce ${recordBytes} B over ${way}`, produced)
      push(results, `consume ${recordBytes} B over ${way}`, consumed)
    }
  }
  for (const [title, figures] of [...results].sort()) {
    const perSecond = Math.round(records / median(figures.map(({ seconds }) => seconds)))
    const cpu = (median(figures.map(({ cpuSeconds }) => cpuSeconds)) / records) * 1e6
    console.log(`${title.padEnd(28)}${perSecond} records/s, ${cpu.toFixed(2)} µs CPU/record`)
  }
}

async function produce(way: Way, topic: string, bytes: number, records: number): Promise<Figures> {
  await using producer = new Producer(ways[way]())
  await producer.partitionsFor(topic)
  const value = Buffer.alloc(bytes, 'abcdefghijklmnopqrstuvwxyz')
  const call = (count: number) =>
    producer.send({ topic, messages: Array.from({ length: count }, () => ({ value })) })
  return await timed(() => sendByCalls({ recordBytes: bytes }, records, call))
}

async function consume(way: Way, topic: string, records: number): Promise<Figures> {
  await using consumer = new Consumer({ ...ways[way](), autoOffsetReset: 'earliest' })
  consumer.assign(Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition })))
  let left = records
  let stop: (() => Figures) | undefined
  for await (const { value } of consumer) {
    stop ??= startClock()
    if (value === null) throw new Error('no value')
    if (--left === 0) break
  }
  return (stop as () => Figures)()
}

/** One record at a time: it is sent when the one before has been read. */
async function compareSingles(): Promise<void> {
  const results = new Map<string, number[]>()
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const way of Object.keys(ways) as Way[]) {
      const topic = `single-${way}-${round}`
      await broker.admin.createTopics([{ topic, numPartitions: 1 }])
      for (const micros of await sendSingles(way, topic)) push(results, way, micros)
    }
  }
  for (const [way, micros] of results) {
    const sorted = [...micros].sort((a, b) => a - b)
    const at = (share: number) => Math.round(sorted[Math.floor(sorted.length * share)] as number)
    console.log(`send to receipt over ${way}: p50 ${at(0.5)} µs, p99 ${at(0.99)} µs`)
  }
}

async function sendSingles(way: Way, topic: string): Promise<number[]> {
  await using producer = new Producer(ways[way]())
  await using consumer = new Consumer({ ...ways[way](), autoOffsetReset: 'earliest' })
  consumer.assign([{ topic, partition: 0 }])
  const micros: number[] = []
  const messages = [{ value: 'one' }]
  let sentAt = performance.now()
  producer.post({ topic, messages })
  for await (const _ of consumer) {
    const now = performance.now()
    if (micros.push((now - sentAt) * 1000) === SINGLES + SINGLES_BEFORE) break
    sentAt = now
    producer.post({ topic, messages })
  }
  return micros.slice(SINGLES_BEFORE)
}

function push<T>(lists: Map<string, T[]>, name: string, value: T): void {
  const list = lists.get(name)
  if (list === undefined) lists.set(name, [value])
  else list.push(value)
}

function median(list: readonly number[]): number {
  return [...list].sort((a, b) => a - b)[list.length >> 1] as number
}
