/**
 * What several of our producers and members of a group did at the same time, held against what the
 * broker was promised to make of it: nothing is lost, nothing is there twice, all is in order, and
 * owners of a partition go on where the last one has committed.
 */
import type { ExecutionContext } from 'ava'
import { Consumer, type TopicPartition } from '../../src/index.ts'
import { GroupLedger } from '../crash/group-ledger.ts'
import { holdAgainstAll } from './client-subjects.ts'
import type { World } from './client-suite.ts'

const PARTITIONS = 4
const PRODUCERS = 3
const RECORDS = 300
const SEND_MAX = 20
const POLL_MS = 100

type GroupProtocol = 'classic' | 'consumer'

holdAgainstAll(
  (['classic', 'consumer'] as const).map((protocol) => ({
    title: `producers and a ${protocol} group keep what was promised`,
    run: (t, world) => checkHistory(t, world, protocol),
  })),
)

async function checkHistory(t: ExecutionContext, world: World, protocol: GroupProtocol) {
  const topic = await world.topic(PARTITIONS)
  const ledger = new GroupLedger(`group-of-${topic}`)
  /** Values by partition and offset, as members read them. */
  const read = new Map<string, string>()
  const members = ['a', 'b', 'c', 'd'].map(
    (name) => new Member(name, world, { topic, protocol, ledger, read }),
  )
  const [first, second, third, fourth] = members as [Member, Member, Member, Member]
  const started = [first, second, third].map((member) => member.start())
  const written = await Promise.all(
    Array.from({ length: PRODUCERS }, (_, i) => produce(world, topic, i)),
  )
  await until(() => read.size > (PRODUCERS * RECORDS) / 4)
  // One comes and one goes in the middle of it.
  started.push(fourth.start())
  await second.stop()
  await until(() => read.size === PRODUCERS * RECORDS)
  await Promise.all([first, third, fourth].map((member) => member.stop()))
  await Promise.all(started)

  t.deepEqual(ledger.broken, [])
  const acknowledged = new Map(written.flat())
  t.is(acknowledged.size, PRODUCERS * RECORDS, 'two records have one place')
  t.deepEqual(new Map([...read].sort()), new Map([...acknowledged].sort()))
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const log = await world.read(topic, partition)
    const values = log.map(({ value }) => String(value))
    t.is(new Set(values).size, values.length, 'a record is there twice')
    for (let i = 0; i < PRODUCERS; i++) {
      const own = values.filter((value) => value.startsWith(`${i}:`)).map((v) => Number(v.slice(2)))
      t.deepEqual(
        own,
        [...own].sort((a, b) => a - b),
      )
    }
  }
}

/** Sends without waiting; answers where each value has come to lie. */
async function produce(world: World, topic: string, index: number): Promise<[string, string][]> {
  const producer = world.producer({ batchSize: 512, partitioner: 'roundRobin' })
  const sends: Promise<[string, string][]>[] = []
  for (let from = 0; from < RECORDS; ) {
    const count = Math.min(RECORDS - from, 1 + ((from * 7 + index) % SEND_MAX))
    const values = Array.from({ length: count }, (_, i) => `${index}:${from + i}`)
    from += count
    const sent = producer.send({ topic, messages: values.map((value) => ({ value })) })
    sends.push(
      sent.then((records) =>
        records.map(({ partition, offset }, i) => [`${partition}/${offset}`, values[i] as string]),
      ),
    )
  }
  return (await Promise.all(sends)).flat()
}

interface Plan {
  readonly topic: string
  readonly protocol: GroupProtocol
  readonly ledger: GroupLedger
  readonly read: Map<string, string>
}

/** Reads, commits after each poll and before partitions go. */
class Member {
  readonly #name: string
  readonly #plan: Plan
  readonly #consumer: Consumer
  /** By partition: the offset behind the last record that was read. */
  readonly #next = new Map<number, number>()
  #stopping = false
  #ended: Promise<void> = Promise.resolve()

  constructor(name: string, world: World, plan: Plan) {
    this.#name = name
    this.#plan = plan
    this.#consumer = new Consumer({
      ...world.target(),
      groupId: plan.ledger.group,
      groupProtocol: plan.protocol,
      autoOffsetReset: 'earliest',
      enableAutoCommit: false,
      heartbeatIntervalMs: 100,
      ...(plan.protocol === 'classic'
        ? { partitionAssignmentStrategy: ['cooperative-sticky'] as const }
        : {}),
    })
  }

  start(): Promise<void> {
    this.#ended = this.#run()
    return this.#ended
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#ended
  }

  async #run(): Promise<void> {
    const { topic, read, ledger } = this.#plan
    await this.#consumer.subscribe([topic], {
      onPartitionsAssigned: (partitions) => this.#onAssigned(partitions),
      // If the group has gone on, the next owner begins at what was committed before.
      onPartitionsRevoked: (partitions) => this.#commit(partitions).catch(() => {}),
      onPartitionsLost: (partitions) => this.#forget(partitions),
    })
    while (!this.#stopping) {
      const records = await this.#consumer.poll({ timeoutMs: POLL_MS, maxRecords: 10 })
      for (const { partition, offset, value } of records) {
        ledger.reads(partition, offset, this.#next.get(partition) ?? -1, this.#name)
        this.#next.set(partition, offset + 1)
        read.set(`${partition}/${offset}`, String(value))
      }
      if (records.length > 0) await this.#commit(this.#consumer.assignment()).catch(() => {})
    }
    await this.#consumer.close()
  }

  async #onAssigned(partitions: readonly TopicPartition[]): Promise<void> {
    const { ledger } = this.#plan
    const known = new Map(
      partitions.map(({ partition }) => [partition, ledger.acknowledgedOf(partition)]),
    )
    for (const { partition, offset } of await this.#consumer.committed(partitions)) {
      ledger.holds(partition, offset ?? -1, known.get(partition) ?? -1)
      this.#next.set(partition, offset ?? 0)
    }
  }

  async #commit(partitions: readonly TopicPartition[]): Promise<void> {
    const { ledger } = this.#plan
    const offsets = partitions.flatMap(({ topic, partition }) => {
      const offset = this.#next.get(partition)
      return offset === undefined ? [] : [{ topic, partition, offset }]
    })
    for (const { partition, offset } of offsets) ledger.tries(partition, offset)
    await this.#consumer.commit(offsets)
    for (const { partition, offset } of offsets) {
      ledger.acknowledged(partition, offset, this.#name)
    }
  }

  #forget(partitions: readonly TopicPartition[]): void {
    for (const { partition } of partitions) this.#next.delete(partition)
  }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10))
}
