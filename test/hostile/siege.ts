/** All attacks at once on one broker, with a canary beside them and an eye on its memory. */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { crc32c } from '@node-rs/crc32'
import { Produce } from '../../src/protocol/apis/00-produce.ts'
import { CreateTopics } from '../../src/protocol/apis/19-create-topics.ts'
import { buildBatch } from '../../src/protocol/record-batch.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { RawConnection } from '../support/raw-connection.ts'
import { pause, Seeded } from '../support/seeded.ts'
import { attacks, FEAST } from './attacks.ts'
import { CANARY, Canary } from './canary.ts'

const MIB = 1024 * 1024

/** Attackers at a time. */
const ATTACKERS = 4

/** The broker's bounds, small. */
const CONFIGS = {
  'odradek.requests.bytes.max': String(64 * MIB),
  'odradek.decompressed.batch.bytes.max': String(8 * MIB),
  'odradek.partitions.max': '300',
  'log.segment.bytes': String(4 * MIB),
}

/**
 * What a process may take above what it took at the start, and each of its threads: twice the bound
 * on requests, for these and for buffers that wait for use.
 */
const GROWTH_BYTES_MAX = 256 * MIB
const GROWTH_BYTES_MAX_OF_THREAD = 128 * MIB

/** What to do. */
export interface Siege {
  readonly ms: number
  readonly seed: number
  readonly shards: string
  readonly log: (line: string) => void
  /** The one attack to try; default: all. */
  readonly only?: string | undefined
}

/** Attacks a broker for a time; answers what went wrong. */
export async function siege({ ms, seed, shards, only, log }: Siege): Promise<string[]> {
  const random = new Seeded(seed)
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'odradek-hostile-'))
  const broker = await BrokerProcess.start({
    dataDir,
    configs: { ...CONFIGS, 'odradek.shards': shards },
  })
  const faults: string[] = []
  try {
    await lay(broker.port)
    const canary = new Canary(broker.port, random.fork())
    const singing = canary.run()
    const memory = new MemoryWatch(broker, Number(shards) + 1)
    const until = performance.now() + ms
    const under = Array.from({ length: ATTACKERS }, () =>
      attack(broker, random.fork(), until, faults, only),
    )
    const counts = await Promise.all(under)
    // What was bound in sockets and buffers has to come back.
    await pause(Math.min(5000, ms / 4))
    memory.look()
    canary.stop()
    await singing
    faults.push(...canary.faults, ...memory.faults())
    if (!broker.alive) faults.push('the broker is gone')
    faults.push(...broker.logged(/a handler failed|broke:|cannot be encoded|a worker died/))
    const ended = await broker.stop()
    if (ended.code !== 0) faults.push(`the broker ends with ${JSON.stringify(ended)}`)
    const sum = counts.reduce((a, b) => a + b, 0)
    log(`${sum} attacks, ${canary.rounds} rounds of the canary, slowest ${canary.slowestMs | 0} ms`)
    log(memory.toString())
  } finally {
    await broker.kill()
    if (faults.length === 0) fs.rmSync(dataDir, { recursive: true, force: true })
    else log(`the data directory is kept: ${dataDir}\n${broker.log.slice(-20).join('\n')}`)
  }
  return faults.map((fault) => fault.slice(0, 2000))
}

async function attack(
  broker: BrokerProcess,
  random: Seeded,
  until: number,
  faults: string[],
  only: string | undefined,
): Promise<number> {
  const names = Object.keys(attacks).filter((name) => only === undefined || name === only)
  let count = 0
  while (performance.now() < until && broker.alive) {
    const name = random.pick(names)
    const fault = (what: string) => faults.push(`${name}: ${what}`)
    await attacks[name]?.({ port: broker.port, random, fault })
    count++
  }
  return count
}

/** Makes the topics of the canary, of the victim, and one with much to read. */
async function lay(port: number): Promise<void> {
  const connection = await RawConnection.open(port)
  const topics = [
    { name: CANARY, numPartitions: 1, replicationFactor: 1 },
    { name: 'victim', numPartitions: 4, replicationFactor: 1 },
    { name: FEAST, numPartitions: 8, replicationFactor: 1 },
  ]
  await connection.ask(CreateTopics, 5, { topics })
  const batch = () =>
    buildBatch({ records: [{ timestamp: Date.now(), value: Buffer.alloc(900_000, 'x') }] }, crc32c)
  for (let i = 0; i < 80; i++) {
    await connection.ask(Produce, 9, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 10_000,
      topicData: [{ name: FEAST, partitionData: [{ index: i % 8, records: batch() }] }],
    })
  }
  connection.close()
}

/** The resident memory of a process over time. */
class MemoryWatch {
  readonly #broker: BrokerProcess
  readonly #growthBytesMax: number
  readonly #samples: number[] = []
  readonly #timer: NodeJS.Timeout

  constructor(broker: BrokerProcess, threads: number) {
    this.#broker = broker
    this.#growthBytesMax = GROWTH_BYTES_MAX + threads * GROWTH_BYTES_MAX_OF_THREAD
    this.look()
    this.#timer = setInterval(() => this.look(), 500)
  }

  look(): void {
    this.#samples.push(this.#broker.residentBytes())
  }

  /** Growth beyond the bounds: at any time, and from the second quarter to the end. */
  faults(): string[] {
    clearInterval(this.#timer)
    const faults: string[] = []
    const start = this.#samples[0] as number
    const peak = Math.max(...this.#samples)
    if (peak > start + this.#growthBytesMax) faults.push(`memory grew: ${this}`)
    const warm = this.#samples.slice(Math.floor(this.#samples.length / 4))
    const half = Math.ceil(warm.length / 2)
    const [early, late] = [Math.max(...warm.slice(0, half)), Math.min(...warm.slice(half))]
    if (late > early + GROWTH_BYTES_MAX / 4) faults.push(`memory goes on growing: ${this}`)
    return faults
  }

  toString(): string {
    const step = Math.max(1, Math.floor(this.#samples.length / 12))
    const shown = this.#samples.filter((_, i) => i % step === 0)
    const inMib = shown.map((bytes) => Math.round(bytes / MIB))
    return `resident MiB ${inMib.join(' ')}, at most ${Math.round(Math.max(...this.#samples) / MIB)}`
  }
}
