/**
 * A broker on one data directory that is killed and started again, its topics, and load on them.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { ApiVersions } from '../../src/protocol/apis/18-api-versions.ts'
import { CreateTopics } from '../../src/protocol/apis/19-create-topics.ts'
import { DeleteTopics } from '../../src/protocol/apis/20-delete-topics.ts'
import { ErrorCode, errorName } from '../../src/protocol/errors.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { freePort } from '../support/free-port.ts'
import { RawConnection } from '../support/raw-connection.ts'
import { RawProducer } from '../support/raw-producer.ts'
import { pause, type Seeded } from '../support/seeded.ts'
import { type PartitionRead, problemsOf, readPartition } from './read-back.ts'

/** Partitions of each topic. */
export const PARTITIONS = 8

/** Settings of all brokers here: segments so small that they roll under load. */
export const CONFIGS: Readonly<Record<string, string>> = {
  'log.segment.bytes': '1048576',
  'auto.create.topics.enable': 'false',
  // The records are of 2023.
  'log.retention.ms': '-1',
}

/** A promise of the broker that did not hold. */
export class Broken extends Error {
  override readonly name = 'Broken'
}

export class Subject {
  readonly dataDir: string
  readonly random: Seeded
  broker: BrokerProcess | undefined
  /** Topics that are there, oldest first. */
  readonly topics: string[] = []
  readonly #configs: Readonly<Record<string, string>>
  readonly #loads: RawProducer[] = []
  #producersMade = 0
  /** Clients that stay find the broker where it was. */
  #port = 0

  constructor(
    random: Seeded,
    configs: Readonly<Record<string, string>> = {},
    dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'odradek-crash-')),
  ) {
    this.random = random
    this.#configs = { ...CONFIGS, ...configs }
    this.dataDir = dataDir
  }

  /** The port of the broker while there is one that serves. */
  get port(): number | undefined {
    return this.broker?.alive && this.broker.port > 0 ? this.broker.port : undefined
  }

  async start(): Promise<BrokerProcess> {
    this.#port ||= await freePort()
    const settings = { dataDir: this.dataDir, port: this.#port, configs: this.#configs }
    this.broker = BrokerProcess.spawn(settings)
    await this.broker.ready()
    return this.broker
  }

  /** kill -9, and no broker any more. */
  async kill(): Promise<void> {
    await this.broker?.kill()
    this.broker = undefined
  }

  /** SIGTERM; it has to end with exit code 0. */
  async stop(): Promise<void> {
    const { broker } = this
    this.broker = undefined
    const ended = await broker?.stop()
    if (ended?.code !== 0) {
      throw new Broken(`a stop ended with ${JSON.stringify(ended)}\n${broker?.log.join('\n')}`)
    }
  }

  /** What those who look into a failure want to know: of the broker, and of the load on it. */
  async lastWords(): Promise<string> {
    const { broker } = this
    const lines = broker === undefined ? ['the broker is not there'] : broker.log.slice(-30)
    if (broker !== undefined) lines.push(await broker.state())
    if (this.port !== undefined) lines.push(await this.#whetherItAnswers(this.port))
    for (const producer of this.#loads.slice(-5)) lines.push(producer.state())
    return lines.join('\n')
  }

  async #whetherItAnswers(port: number): Promise<string> {
    const answer = RawConnection.open(port).then((connection) =>
      connection.ask(ApiVersions, 0, {}).finally(() => connection.close()),
    )
    const word = answer.then(
      () => 'answers ApiVersions',
      (error: Error) => `does not answer: ${error.message}`,
    )
    return `the broker ${await Promise.race([word, pause(5000).then(() => 'is silent')])}`
  }

  /** Ends the broker and all load on it. */
  async end(): Promise<void> {
    for (const producer of this.#loads) producer.abort()
    await this.kill()
  }

  /** Ends the broker and removes its directory. */
  async dispose(): Promise<void> {
    await this.end()
    fs.rmSync(this.dataDir, { recursive: true, force: true })
  }

  async connect(): Promise<RawConnection> {
    return RawConnection.open(this.port ?? 0)
  }

  async createTopic(
    name: string,
    configs: Readonly<Record<string, string>> = {},
    numPartitions = PARTITIONS,
  ): Promise<void> {
    const connection = await this.connect()
    const answer = await connection.ask(CreateTopics, 5, {
      topics: [
        {
          name,
          numPartitions,
          replicationFactor: 1,
          configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
        },
      ],
    })
    connection.close()
    const { errorCode = -1 } = answer.topics[0] ?? {}
    if (errorCode !== ErrorCode.NONE) throw new Broken(`create ${name}: ${errorName(errorCode)}`)
    this.topics.push(name)
  }

  async deleteTopic(name: string): Promise<void> {
    const connection = await this.connect()
    const answer = await connection.ask(DeleteTopics, 5, { topicNames: [name], timeoutMs: 10_000 })
    connection.close()
    const { errorCode = -1 } = answer.responses[0] ?? {}
    if (errorCode !== ErrorCode.NONE) throw new Broken(`delete ${name}: ${errorName(errorCode)}`)
    this.topics.splice(this.topics.indexOf(name), 1)
  }

  /** Producers on `topic` that are running; `run` is their end. */
  load(topic: string, count: number): { producers: RawProducer[]; run: Promise<unknown> } {
    const producers = Array.from({ length: count }, () => {
      const name = `p${this.#producersMade++}`
      const random = this.random.fork()
      const port = () => this.port
      return new RawProducer({ name, topic, partitions: PARTITIONS, random, port })
    })
    this.#loads.push(...producers)
    return { producers, run: Promise.all(producers.map((producer) => producer.run())) }
  }

  /** Reads all partitions of `topic`. */
  async read(topic: string): Promise<PartitionRead[]> {
    const connection = await this.connect()
    const reads: PartitionRead[] = []
    for (let partition = 0; partition < PARTITIONS; partition++) {
      reads.push(await readPartition(connection, topic, partition))
    }
    connection.close()
    return reads
  }

  /** Reads `topic` back whole and throws Broken unless all that was promised is there. */
  async verify(topic: string, producers: readonly RawProducer[]): Promise<number> {
    let records = 0
    for (const [partition, read] of (await this.read(topic)).entries()) {
      const problems = problemsOf(partition, read, producers)
      if (problems.length > 0) throw new Broken(problems.join('\n'))
      records += read.logEndOffset - read.logStartOffset
    }
    return records
  }
}
