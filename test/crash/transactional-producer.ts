/**
 * A transactional producer beside a broker that is killed: each transaction writes its number to
 * all partitions and commits it as an offset of a group. What it was told of the ends is kept.
 */
import { crc32c } from '@node-rs/crc32'
import { Produce } from '../../src/protocol/apis/00-produce.ts'
import { InitProducerId } from '../../src/protocol/apis/22-init-producer-id.ts'
import { AddPartitionsToTxn } from '../../src/protocol/apis/24-add-partitions-to-txn.ts'
import { AddOffsetsToTxn } from '../../src/protocol/apis/25-add-offsets-to-txn.ts'
import { EndTxn } from '../../src/protocol/apis/26-end-txn.ts'
import { TxnOffsetCommit } from '../../src/protocol/apis/28-txn-offset-commit.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import { buildBatch, TRANSACTIONAL_BIT } from '../../src/protocol/record-batch.ts'
import { ConnectionLost, RawConnection } from '../support/raw-connection.ts'
import { pause, type Seeded } from '../support/seeded.ts'

/** How a transaction ended, as far as the producer knows. */
export type Told = 'committed' | 'aborted' | 'unknown'

/** What a producer is made of. */
export interface TransactionalOptions {
  readonly id: string
  readonly topic: string
  readonly partitions: number
  readonly random: Seeded
  /** 0: partitions are added in so many words; 2: the broker adds them. */
  readonly version: 0 | 2
  /** Where the broker is now; undefined: nowhere. */
  readonly port: () => number | undefined
}

interface Identity {
  producerId: number
  producerEpoch: number
}

/** Errors after which the same is tried again. */
const PASSING: ReadonlySet<number> = new Set([
  ErrorCode.CONCURRENT_TRANSACTIONS,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.NOT_ENOUGH_REPLICAS,
  ErrorCode.KAFKA_STORAGE_ERROR,
])

class Refused extends Error {}

export class TransactionalProducer {
  /** By the number of the transaction. */
  readonly told: Told[] = []
  readonly #options: TransactionalOptions
  #sequences: number[] = []
  #stopping = false

  constructor(options: TransactionalOptions) {
    this.#options = options
  }

  /** The group whose offsets the transactions commit. */
  get groupId(): string {
    return `group-${this.#options.id}`
  }

  stop(): void {
    this.#stopping = true
  }

  async run(): Promise<void> {
    while (!this.#stopping) {
      const port = this.#options.port()
      try {
        if (port !== undefined) await this.#produceOver(await RawConnection.open(port))
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code
        const isLost = error instanceof ConnectionLost || error instanceof Refused
        if (!isLost && code !== 'ECONNREFUSED' && code !== 'ECONNRESET') throw error
      }
      await pause(10)
    }
  }

  async #produceOver(connection: RawConnection): Promise<void> {
    const { id: transactionalId, random } = this.#options
    try {
      let producer: Identity = await again(() =>
        connection.ask(InitProducerId, 4, { transactionalId, transactionTimeoutMs: 30_000 }),
      )
      this.#sequences = Array.from({ length: this.#options.partitions }, () => 0)
      while (!this.#stopping) {
        const number = this.told.length
        this.told.push('unknown')
        await this.#fill(connection, producer, number)
        const committed = random.chance(0.7)
        producer = await this.#end(connection, producer, committed)
        this.told[number] = committed ? 'committed' : 'aborted'
      }
    } finally {
      connection.close()
    }
  }

  async #fill(connection: RawConnection, producer: Identity, number: number): Promise<void> {
    const { id: transactionalId, topic, partitions, version } = this.#options
    const all = Array.from({ length: partitions }, (_, index) => index)
    const { producerId, producerEpoch } = producer
    const of = { transactionalId, producerId, producerEpoch }
    const { groupId } = this
    if (version === 0) {
      await again(async () => {
        const { resultsByTopicV3AndBelow } = await connection.ask(AddPartitionsToTxn, 3, {
          v3AndBelowTransactionalId: transactionalId,
          v3AndBelowProducerId: producerId,
          v3AndBelowProducerEpoch: producerEpoch,
          v3AndBelowTopics: [{ name: topic, partitions: all }],
        })
        const [first] = resultsByTopicV3AndBelow[0]?.resultsByPartition ?? []
        return { errorCode: first?.partitionErrorCode ?? -1 }
      })
      await again(() => connection.ask(AddOffsetsToTxn, 3, { ...of, groupId }))
    }
    for (const index of all) {
      const records = this.#batch(producer, index, number)
      await again(async () => {
        const { responses } = await connection.ask(Produce, version === 0 ? 11 : 12, {
          transactionalId,
          acks: -1,
          timeoutMs: 30_000,
          topicData: [{ name: topic, partitionData: [{ index, records }] }],
        })
        return { errorCode: responses[0]?.partitionResponses[0]?.errorCode ?? -1 }
      })
      this.#sequences[index]!++
    }
    await again(async () => {
      const { topics } = await connection.ask(TxnOffsetCommit, version === 0 ? 3 : 5, {
        ...of,
        groupId,
        generationId: -1,
        memberId: '',
        groupInstanceId: null,
        topics: [{ name: topic, partitions: [{ partitionIndex: 0, committedOffset: number }] }],
      })
      return { errorCode: topics[0]?.partitions[0]?.errorCode ?? -1 }
    })
  }

  #batch(producer: Identity, index: number, number: number): Buffer {
    const value = Buffer.from(`${this.#options.id}/${number}`)
    return buildBatch(
      {
        records: [{ timestamp: 1_700_000_000_000, key: null, value }],
        attributes: TRANSACTIONAL_BIT,
        producerId: producer.producerId,
        producerEpoch: producer.producerEpoch,
        baseSequence: this.#sequences[index]!,
      },
      crc32c,
    )
  }

  async #end(connection: RawConnection, producer: Identity, committed: boolean): Promise<Identity> {
    const { id: transactionalId, version } = this.#options
    const answer = await again(() =>
      connection.ask(EndTxn, version === 0 ? 4 : 5, {
        transactionalId,
        producerId: producer.producerId,
        producerEpoch: producer.producerEpoch,
        committed,
      }),
    )
    if (version === 0) return producer
    this.#sequences.fill(0)
    return answer
  }
}

/** Asks until the answer is no passing error. Throws Refused for others. */
async function again<R extends { errorCode: number }>(ask: () => Promise<R>): Promise<R> {
  for (;;) {
    const answer = await ask()
    if (answer.errorCode === ErrorCode.NONE) return answer
    if (!PASSING.has(answer.errorCode)) throw new Refused(`error ${answer.errorCode}`)
    await pause(5)
  }
}
