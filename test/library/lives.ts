/**
 * Brokers that come and go inside this process, as bundled for users: each of these drives one kind
 * of coming and going and answers what went wrong, in words; nothing is expected to.
 */
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Broker, BrokerOptions, Consumer, Producer } from '../../src/index.ts'
import { pause } from '../support/seeded.ts'

const bundle = new URL('../../bundle/index.cjs', import.meta.url)
const face = (await import(bundle.href)) as typeof import('../../src/index.ts')

/** How often something happens, and how it is told of meanwhile. */
export interface Campaign {
  readonly count: number
  readonly options: BrokerOptions
  /** After each step; default: nothing. */
  readonly onStep?: (step: number) => void | Promise<void>
}

/** What the brokers of a campaign say; whatever comes after `stop` is a fault. */
class Ears {
  readonly faults: string[] = []
  #stopped = false

  readonly log = {
    debug: () => {},
    info: (message: string) => this.#hear(message, false),
    warn: (message: string) => this.#hear(message, true),
    error: (message: string) => this.#hear(message, true),
  }

  stopped(): void {
    this.#stopped = true
  }

  #hear(message: string, isFault: boolean): void {
    if (isFault || this.#stopped) this.faults.push(message)
  }
}

/** One after the other: started, used, stopped. */
export async function inARow({ count, options, onStep }: Campaign): Promise<string[]> {
  const faults: string[] = []
  for (let step = 0; step < count; step++) {
    const ears = new Ears()
    await live({ ...options, log: ears.log })
    ears.stopped()
    await onStep?.(step)
    faults.push(...ears.faults)
  }
  return faults
}

/** `count` at the same time. */
export async function atOnce({ count, options }: Campaign): Promise<string[]> {
  const ears = Array.from({ length: count }, () => new Ears())
  await Promise.all(
    ears.map(async (own) => {
      await live({ ...options, log: own.log })
      own.stopped()
    }),
  )
  return ears.flatMap(({ faults }) => faults)
}

/** A whole life: a record goes in and comes out, over a port or, with `listen`, over TCP. */
async function live(options: BrokerOptions): Promise<void> {
  const broker = await face.Broker.start(options)
  try {
    const [producer, consumer] = [producerOf(broker), consumerOf(broker)]
    await broker.admin.createTopics([{ topic: 't', numPartitions: 1 }])
    await producer.send({ topic: 't', messages: [{ value: 'v' }] })
    await expectRecord(consumer, 't', 'v')
    await Promise.all([producer.close(), consumer.close()])
  } finally {
    await broker.stop()
  }
}

/** Starts that cannot succeed, before and after the threads are there. */
export async function failures({ count, options }: Campaign): Promise<string[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'damaged-'))
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  mkdirSync(join(dataDir, 'odradek', 'metadata'), { recursive: true })
  writeFileSync(join(dataDir, 'odradek', 'metadata', 'data.mdb'), Buffer.alloc(8192, 1))
  const hopeless: readonly BrokerOptions[] = [
    { ...options, listen: { port } },
    { ...options, dataDir },
    { ...options, dataDir: '/dev/null' },
    { ...options, config: { 'no.such.setting': 1 } },
  ]
  const faults: string[] = []
  for (let step = 0; step < count; step++) {
    for (const one of hopeless) {
      const started = await face.Broker.start(one).catch(() => undefined)
      if (started === undefined) continue
      faults.push(`${JSON.stringify(one)} started`)
      await started.stop()
    }
  }
  taken.close()
  await once(taken, 'close')
  rmSync(dataDir, { recursive: true })
  return faults
}

/** Connections that come and go; the broker allows so few that one that stays is noticed. */
export async function connections({ count, options, onStep }: Campaign): Promise<string[]> {
  const ears = new Ears()
  const config = { ...options.config, 'max.connections': 64 }
  const broker = await face.Broker.start({ ...options, config, log: ears.log })
  try {
    for (let step = 0; step < count; step++) {
      // Every other port is closed by who never took it up.
      if (step % 2 === 0) broker.connect().close()
      const admin = new face.Admin(targetOf(broker, step % 4 < 2))
      await admin.describeCluster()
      await admin.close()
      await onStep?.(step)
    }
  } finally {
    await broker.stop()
  }
  return ears.faults
}

/**
 * Topics that are produced to, over another connection, as soon as their creation is answered, or
 * that producing itself creates; and read at once. No client may see an error: none tries twice.
 */
export async function races({ count, options, onStep }: Campaign): Promise<string[]> {
  const ears = new Ears()
  const broker = await face.Broker.start({ ...options, log: ears.log })
  const lanes = [
    new Lane(broker, { name: 'a', tcp: false, creates: true }),
    new Lane(broker, { name: 'b', tcp: true, creates: true }),
    new Lane(broker, { name: 'c', tcp: false, creates: false }),
    new Lane(broker, { name: 'd', tcp: true, creates: false }),
  ]
  try {
    for (let step = 0; step < count; step += lanes.length) {
      await Promise.all(lanes.map((lane) => lane.run(step)))
      if (step % 1000 === 0) await broker.reset()
      await onStep?.(step)
    }
  } finally {
    await Promise.all(lanes.map((lane) => lane.close()))
    await broker.stop()
  }
  return [...ears.faults, ...lanes.flatMap(({ faults }) => faults)]
}

/** One client of each kind, side by side with those of the other lanes. */
class Lane {
  readonly faults: string[] = []
  readonly #broker: Broker
  readonly #name: string
  readonly #creates: boolean
  readonly #producer: Producer
  readonly #consumer: Consumer

  constructor(broker: Broker, how: { name: string; tcp: boolean; creates: boolean }) {
    this.#broker = broker
    this.#name = how.name
    this.#creates = how.creates
    this.#producer = producerOf(broker, how.tcp)
    this.#consumer = consumerOf(broker, how.tcp)
  }

  async run(step: number): Promise<void> {
    const topic = `${this.#name}-${step}`
    try {
      if (this.#creates) await this.#broker.admin.createTopics([{ topic, numPartitions: 4 }])
      const sent = [0, 1].map((n) => ({ key: `${n}`, value: topic, partition: 0 }))
      await this.#producer.send({ topic, messages: sent })
      await expectRecord(this.#consumer, topic, topic)
    } catch (error) {
      this.faults.push(`${topic}: ${error}`)
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#producer.close(), this.#consumer.close()])
  }
}

function targetOf(broker: Broker, tcp: boolean) {
  const { bootstrapServers } = broker
  return tcp && bootstrapServers !== '' ? { bootstrapServers } : { port: broker.connect() }
}

function producerOf(broker: Broker, tcp = true): Producer {
  return new face.Producer({ ...targetOf(broker, tcp), retries: 0 })
}

function consumerOf(broker: Broker, tcp = true): Consumer {
  // A fetch of what was read before must not hold up the first one of a new topic.
  const impatient = { autoOffsetReset: 'earliest', fetchMaxWaitMs: 5 } as const
  return new face.Consumer({ ...targetOf(broker, tcp), ...impatient })
}

async function expectRecord(consumer: Consumer, topic: string, value: string): Promise<void> {
  consumer.assign([{ topic, partition: 0 }])
  const [first] = await consumer.poll({ timeoutMs: 30_000, maxRecords: 1 })
  if (String(first?.value) !== value) throw new Error(`read ${first?.value}, not ${value}`)
}

/** Whether the memory of the process stands still, looked at after it was given time to fall. */
export async function residentMiB(): Promise<number> {
  for (let i = 0; i < 5; i++) {
    globalThis.gc?.()
    await pause(50)
  }
  return Math.round(process.memoryUsage.rss() / 2 ** 20)
}
