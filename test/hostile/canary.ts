/** A well-behaved producer and consumer beside all attacks: its answers have to stay right. */
import { crc32c } from '@node-rs/crc32'
import { Produce } from '../../src/protocol/apis/00-produce.ts'
import { Fetch } from '../../src/protocol/apis/01-fetch.ts'
import { buildBatch, CRC_FROM, RECORD_BATCH_OVERHEAD } from '../../src/protocol/record-batch.ts'
import { RawConnection } from '../support/raw-connection.ts'
import { pause, type Seeded } from '../support/seeded.ts'

/** The canary's topic; no attack knows it. */
export const CANARY = 'the-canary'

/** An answer that takes longer is none. */
const ANSWER_MS = 30_000
/** Rounds over one connection. */
const ROUNDS_OF_CONNECTION = 20

export class Canary {
  readonly faults: string[] = []
  rounds = 0
  slowestMs = 0
  readonly #port: number
  readonly #random: Seeded
  #stopped = false

  constructor(port: number, random: Seeded) {
    this.#port = port
    this.#random = random
  }

  stop(): void {
    this.#stopped = true
  }

  /** Writes and reads until `stop`, or until an answer is wrong. */
  async run(): Promise<void> {
    while (!this.#stopped && this.faults.length === 0) {
      try {
        const connection = await RawConnection.open(this.#port)
        for (let i = 0; i < ROUNDS_OF_CONNECTION && !this.#stopped; i++) {
          const began = performance.now()
          await withinTime(this.#round(connection))
          this.slowestMs = Math.max(this.slowestMs, performance.now() - began)
          this.rounds++
          await pause(20)
        }
        connection.close()
      } catch (error) {
        this.faults.push(`after ${this.rounds} rounds: ${(error as Error).message}`)
      }
    }
  }

  async #round(connection: RawConnection): Promise<void> {
    const sizes = Array.from({ length: this.#random.between(1, 4) }, () =>
      this.#random.chance(0.1) ? 100_000 : this.#random.between(0, 500),
    )
    const records = sizes.map((size) => ({
      timestamp: Date.now(),
      value: this.#random.bytes(size),
    }))
    const batch = buildBatch({ records }, crc32c)
    const produced = await connection.ask(Produce, 9, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 10_000,
      topicData: [{ name: CANARY, partitionData: [{ index: 0, records: batch }] }],
    })
    const answer = produced.responses[0]?.partitionResponses[0]
    if (answer?.errorCode !== 0) throw new Error(`Produce answers ${answer?.errorCode}`)
    const { baseOffset } = answer
    const fetched = await connection.ask(Fetch, 12, {
      maxWaitMs: 1000,
      minBytes: 1,
      topics: [
        {
          topic: CANARY,
          partitions: [{ partition: 0, fetchOffset: baseOffset, partitionMaxBytes: 1 << 20 }],
        },
      ],
    })
    const found = fetched.responses[0]?.partitions[0]
    if (found?.errorCode !== 0) throw new Error(`Fetch answers ${found?.errorCode}`)
    const got = (found.records ?? Buffer.alloc(0)).subarray(0, batch.length)
    const isSame =
      got.length > RECORD_BATCH_OVERHEAD && got.subarray(CRC_FROM).equals(batch.subarray(CRC_FROM))
    if (!isSame) throw new Error(`Fetch at ${baseOffset} brings other bytes than were written`)
  }
}

async function withinTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${ANSWER_MS} ms`)), ANSWER_MS)
  })
  await Promise.race([work, late]).finally(() => clearTimeout(timer))
}
