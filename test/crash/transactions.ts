/** Rounds of kill -9 under transactional producers: none is ever committed by half. */

import { readMarker } from '../../src/log/marker.ts'
import { Fetch } from '../../src/protocol/apis/01-fetch.ts'
import { ListOffsets } from '../../src/protocol/apis/02-list-offsets.ts'
import { OffsetFetch } from '../../src/protocol/apis/09-offset-fetch.ts'
import { FindCoordinator } from '../../src/protocol/apis/10-find-coordinator.ts'
import { InitProducerId } from '../../src/protocol/apis/22-init-producer-id.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import {
  batchSize,
  isControl,
  isTransactional,
  lastOffset,
  producerId,
  RECORD_BATCH_OVERHEAD,
  RecordCursor,
  recordsCount,
} from '../../src/protocol/record-batch.ts'
import { RawConnection } from '../support/raw-connection.ts'
import { pause } from '../support/seeded.ts'
import { Broken, PARTITIONS, type Subject } from './subject.ts'
import { TransactionalProducer } from './transactional-producer.ts'

const TOPIC = 'transactions'

/** The producers of one data directory. */
export class CrashTransactions {
  readonly #subject: Subject
  readonly #producers: TransactionalProducer[] = []
  #running: Promise<void>[] = []

  constructor(subject: Subject) {
    this.#subject = subject
  }

  async begin(): Promise<void> {
    const subject = this.#subject
    await subject.createTopic(TOPIC)
    const connection = await RawConnection.open(subject.port as number)
    for (const keyType of [0, 1]) {
      await connection.ask(FindCoordinator, 4, { keyType, coordinatorKeys: ['x'] })
    }
    connection.close()
    for (const version of [0, 2, 2] as const) {
      const id = `p${this.#producers.length}`
      const random = subject.random.fork()
      const port = () => subject.port
      const options = { id, topic: TOPIC, partitions: PARTITIONS, random, version, port }
      const producer = new TransactionalProducer(options)
      this.#producers.push(producer)
      this.#running.push(producer.run())
    }
  }

  /** Lets the producers work, kills the broker under them and starts it again. */
  async round(): Promise<string> {
    await pause(this.#subject.random.between(100, 800))
    await this.#subject.kill()
    await this.#subject.start()
    const told = this.#producers.flatMap((one) => one.told)
    const count = (how: string) => told.filter((one) => one === how).length
    return `${told.length} transactions, ${count('committed')} committed, ${count('unknown')} unknown`
  }

  /** Ends the producers; throws Broken when a promise was not held. */
  async end(): Promise<void> {
    await pause(300)
    for (const one of this.#producers) one.stop()
    await Promise.all(this.#running.splice(0))
    const connection = await RawConnection.open(this.#subject.port as number)
    // What was left open ends with the next producer of its id.
    for (const [at] of this.#producers.entries()) await fence(connection, `p${at}`)
    const partitions: string[][] = []
    for (let i = 0; i < PARTITIONS; i++) partitions.push(await readCommitted(connection, i))
    for (const [at, producer] of this.#producers.entries()) {
      this.#check(`p${at}`, producer, partitions)
      await checkOffset(connection, producer, partitions[0] as string[], `p${at}`)
    }
    connection.close()
  }

  #check(id: string, { told }: TransactionalProducer, partitions: readonly string[][]): void {
    for (const [number, ended] of told.entries()) {
      const seen = partitions.map((values) => {
        return values.filter((value) => value === `${id}/${number}`).length
      })
      const text = `transaction ${id}/${number}, ${ended}, is seen ${seen.join()} times`
      if (seen.some((times) => times > 1)) throw new Broken(text)
      const everywhere = seen.every((times) => times === 1)
      const nowhere = seen.every((times) => times === 0)
      if (ended === 'committed' && !everywhere) throw new Broken(text)
      if (ended === 'aborted' && !nowhere) throw new Broken(text)
      if (!everywhere && !nowhere) throw new Broken(text)
    }
  }
}

async function fence(connection: RawConnection, transactionalId: string): Promise<void> {
  for (;;) {
    const request = { transactionalId, transactionTimeoutMs: 30_000 }
    const { errorCode } = await connection.ask(InitProducerId, 4, request)
    if (errorCode === ErrorCode.NONE) return
    await pause(10)
  }
}

/** The offset that a group has is that of the last transaction that was committed. */
async function checkOffset(
  connection: RawConnection,
  { groupId }: TransactionalProducer,
  values: readonly string[],
  id: string,
): Promise<void> {
  const numbers = values.filter((value) => value.startsWith(`${id}/`))
  const last = Math.max(-1, ...numbers.map((value) => Number(value.split('/')[1])))
  const { groups } = await connection.ask(OffsetFetch, 8, {
    groups: [{ groupId, topics: [{ name: TOPIC, partitionIndexes: [0] }] }],
    requireStable: true,
  })
  const found = groups[0]?.topics[0]?.partitions[0]
  if (found?.errorCode !== ErrorCode.NONE || found.committedOffset !== last) {
    const text = `error ${found?.errorCode}, offset ${found?.committedOffset}`
    throw new Broken(`${groupId}: ${text}, but the last transaction is ${last}`)
  }
}

/** The values of a partition as a read_committed consumer sees them. */
async function readCommitted(connection: RawConnection, partition: number): Promise<string[]> {
  const end = await endOffset(connection, partition)
  const values: string[] = []
  let offset = 0
  while (offset < end) {
    const { responses } = await connection.ask(Fetch, 11, {
      replicaId: -1,
      maxWaitMs: 100,
      minBytes: 1,
      isolationLevel: 1,
      topics: [
        {
          topic: TOPIC,
          partitions: [{ partition, fetchOffset: offset, partitionMaxBytes: 1 << 20 }],
        },
      ],
      forgottenTopicsData: [],
    })
    const found = responses[0]?.partitions[0]
    if (found === undefined || found.errorCode !== ErrorCode.NONE || !found.records?.length) {
      throw new Broken(`offset ${offset} of partition ${partition}: error ${found?.errorCode}`)
    }
    offset = visible(found.records, found.abortedTransactions ?? [], values)
  }
  return values
}

/** Adds what was not aborted to `values`; answers the next offset. */
function visible(
  bytes: Buffer,
  aborted: readonly { producerId: number; firstOffset: number }[],
  values: string[],
): number {
  const open = new Set<number>()
  const begin = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  let next = 0
  for (let at = 0; at < bytes.length; at += batchSize(bytes, at)) {
    next = lastOffset(bytes, at) + 1
    while (begin[0] !== undefined && begin[0].firstOffset < next) {
      open.add((begin.shift() as { producerId: number }).producerId)
    }
    const id = producerId(bytes, at)
    if (isControl(bytes, at)) {
      if (readMarker(bytes, at)?.commit === false) open.delete(id)
    } else if (!isTransactional(bytes, at) || !open.has(id)) {
      const cursor = new RecordCursor()
      const to = at + batchSize(bytes, at)
      cursor.reset(bytes, at + RECORD_BATCH_OVERHEAD, to, recordsCount(bytes, at))
      while (cursor.next()) values.push(String(cursor.value()))
    }
  }
  return next
}

/** The last stable offset, which has to be the end once nothing is open. */
async function endOffset(connection: RawConnection, partitionIndex: number): Promise<number> {
  const ends: number[] = []
  for (const isolationLevel of [0, 1]) {
    const { topics } = await connection.ask(ListOffsets, 5, {
      replicaId: -1,
      isolationLevel,
      topics: [{ name: TOPIC, partitions: [{ partitionIndex, timestamp: -1 }] }],
    })
    ends.push(topics[0]?.partitions[0]?.offset ?? -1)
  }
  if (ends[0] !== ends[1]) {
    throw new Broken(`partition ${partitionIndex} is held at ${ends[1]} of ${ends[0]}`)
  }
  return ends[0] as number
}
