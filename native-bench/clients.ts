/**
 * `node dist/native-bench/clients.js --broker NAME=HOST:PORT [--broker …] [--packages FOLDER]`:
 * our own client beside others, record by record and by batches, against brokers that run already.
 * Each client has a process of its own for each job; they take turns, so that what else the machine
 * does hits all of them. The figures are medians of all rounds; ratios are those of our own client,
 * used in the same way.
 *
 * Set `log.segment.delete.delay.ms=0` at the brokers, so that each log takes the memory of the one
 * before. Memory that a virtual machine has not used lately can take 20 µs a page; that bounds any
 * broker at 200 MB/s, and all producers are alike.
 */
import { execFile } from 'node:child_process'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { Admin } from '../src/client/admin.ts'
import { Producer } from '../src/client/producer.ts'
import type { Figures, Job } from './clients/job.ts'

/** Each client, and which of ours reads in the same way: record by record, or by batches. */
const CLIENTS: Readonly<Record<string, 'odradek' | 'odradek-batch'>> = {
  odradek: 'odradek',
  'odradek-batch': 'odradek-batch',
  platformatic: 'odradek',
  confluent: 'odradek',
  kafkajs: 'odradek-batch',
  'kafkajs-message': 'odradek',
}
/** Those that send in the same way as another of the list. */
const ONLY_CONSUME = new Set(['odradek-batch', 'kafkajs-message'])
const PARTITIONS = 4
const WARM_UP_SHARE = 0.2
const RUN_MS_MAX = 300_000

const cache =
  process.env['ODRADEK_INTEROP_CACHE'] ?? path.join(os.homedir(), '.cache/odradek-interop')
const { values } = parseArgs({
  options: {
    broker: { type: 'string', multiple: true },
    packages: { type: 'string', default: path.join(cache, 'node') },
    clients: { type: 'string', default: Object.keys(CLIENTS).join() },
    roles: { type: 'string', default: 'produce,consume' },
    sizes: { type: 'string', default: '100,1024' },
    /** Bytes of all values of a job. */
    mebibytes: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '3' },
  },
})
const brokers = values.broker ?? []
if (brokers.length === 0) throw new Error('--broker NAME=HOST:PORT says whom to measure against')
const run = promisify(execFile)
const program = fileURLToPath(new URL('./clients/run.js', import.meta.url))

for (const broker of brokers) {
  const [name = '', bootstrapServers = name] = broker.split('=')
  for (const role of values.roles.split(',') as Job['role'][]) {
    for (const recordBytes of values.sizes.split(',').map(Number)) {
      await compare(name, { bootstrapServers, role, recordBytes })
    }
  }
}

async function compare(
  broker: string,
  subject: Pick<Job, 'bootstrapServers' | 'role' | 'recordBytes'>,
): Promise<void> {
  const records = Math.floor((Number(values.mebibytes) * 2 ** 20) / subject.recordBytes)
  const job = { ...subject, records, warmUp: Math.floor(records * WARM_UP_SHARE) }
  const results = new Map<string, Figures[]>()
  await using admin = new Admin({ bootstrapServers: subject.bootstrapServers })
  const filled = subject.role === 'consume' ? await freshTopic(admin, job) : undefined
  if (filled !== undefined) await fill(filled, job)
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const client of values.clients.split(',')) {
      if (subject.role === 'produce' && ONLY_CONSUME.has(client)) continue
      const topic = filled ?? (await freshTopic(admin, job))
      const figures = await measure({ ...job, client, topic, packages: values.packages })
      if (figures !== undefined) results.set(client, [...(results.get(client) ?? []), figures])
      if (topic !== filled) await admin.deleteTopics([topic])
    }
  }
  if (filled !== undefined) await admin.deleteTopics([filled])
  const title = `${broker}, ${subject.role} ${subject.recordBytes} B`
  print(title, records, results, (client) => {
    return subject.role === 'consume' ? CLIENTS[client] : 'odradek'
  })
}

/** Each producer writes to one of its own; consumers share one that is filled. */
async function freshTopic(
  admin: Admin,
  { role, recordBytes }: Pick<Job, 'role' | 'recordBytes'>,
): Promise<string> {
  const topic = `bench-${role}-${recordBytes}-${Date.now()}`
  await admin.createTopics([{ topic, numPartitions: PARTITIONS, replicationFactor: 1 }])
  return topic
}

/** Undefined, and said why, if the client cannot run here. */
async function measure(job: Job): Promise<Figures | undefined> {
  try {
    const { stdout } = await run(process.execPath, [program, JSON.stringify(job)], {
      timeout: RUN_MS_MAX,
    })
    return JSON.parse(stdout) as Figures
  } catch (error) {
    const [line] = /.*Error.*/.exec(String((error as { stderr?: string }).stderr)) ?? [error]
    console.error(`${job.client} cannot run: ${line}`)
    return undefined
  }
}

async function fill(
  topic: string,
  { bootstrapServers, recordBytes, records, warmUp }: Omit<Job, 'client' | 'topic' | 'packages'>,
): Promise<void> {
  await using producer = new Producer({ bootstrapServers, partitioner: 'roundRobin' })
  const value = Buffer.alloc(recordBytes, 'abcdefghijklmnopqrstuvwxyz')
  // A little more, since clients count what they read in steps.
  for (let left = (records + warmUp) * 1.1; left > 0; left -= 1000) {
    await producer.ready()
    producer.post({ topic, messages: new Array(1000).fill({ value }) })
  }
}

/** `alike`: which client of ours the figures of another are to be held against. */
function print(
  title: string,
  records: number,
  results: ReadonlyMap<string, Figures[]>,
  alike: (client: string) => string | undefined,
): void {
  console.log(`\n${title}`)
  const rows = [...results].map(([client, figures]) => ({
    client,
    perSecond: records / median(figures.map(({ seconds }) => seconds)),
    cpuMicros: (median(figures.map(({ cpuSeconds }) => cpuSeconds)) / records) * 1e6,
  }))
  for (const { client, perSecond, cpuMicros } of rows) {
    const own = rows.find((row) => row.client === alike(client))
    const speed = own === undefined ? '' : `${(own.perSecond / perSecond).toFixed(2)} ×`
    const cpu = own === undefined ? '' : `${(cpuMicros / own.cpuMicros).toFixed(2)} ×`
    console.log(
      client.padEnd(16) +
        `${Math.round(perSecond)} records/s`.padStart(20) +
        speed.padStart(9) +
        `${cpuMicros.toFixed(2)} µs CPU/record`.padStart(22) +
        cpu.padStart(9),
    )
  }
}

function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] as number
}
