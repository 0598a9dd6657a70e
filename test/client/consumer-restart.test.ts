/** The consumer and a broker that ends without a word and comes back. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { Admin } from '../../src/client/admin.ts'
import { Consumer } from '../../src/client/consumer.ts'
import type { ConsumerSettings } from '../../src/client/consumer-options.ts'
import { Producer } from '../../src/client/producer.ts'
import { BrokerProcess } from '../support/broker-process.ts'

const ROUNDS = 3
const PER_ROUND = 50

for (const groupProtocol of ['classic', 'consumer'] as const) {
  test.serial(
    `${groupProtocol}: no record is missed or repeated when the broker is killed`,
    async (t) => {
      t.timeout(120_000)
      const dataDir = mkdtempSync(join(tmpdir(), 'odradek-consumer-restart-'))
      let broker = await BrokerProcess.start({ dataDir })
      const { port } = broker
      const target = { bootstrapServers: `127.0.0.1:${port}` }
      const settings: ConsumerSettings = {
        groupId: 'g',
        groupProtocol,
        autoOffsetReset: 'earliest',
      }
      const admin = new Admin(target)
      const producer = new Producer(target)
      const consumer = new Consumer({ ...target, ...settings, heartbeatIntervalMs: 200 })
      try {
        await admin.createTopics([{ topic: 't', numPartitions: 2, replicationFactor: 1 }])
        await consumer.subscribe(['t'])
        const read: number[] = []
        for (let round = 0; round < ROUNDS; round++) {
          const from = round * PER_ROUND
          const messages = Array.from({ length: PER_ROUND }, (_, i) => ({ value: `${from + i}` }))
          await producer.send({ topic: 't', messages })
          while (read.length < from + PER_ROUND) {
            const records = await consumer.poll({ timeoutMs: 1000 })
            read.push(...records.map(({ value }) => Number(value)))
          }
          await consumer.commit()
          await broker.kill()
          broker = await BrokerProcess.start({ dataDir, port })
        }
        const all = Array.from({ length: ROUNDS * PER_ROUND }, (_, i) => i)
        t.deepEqual(
          read.sort((a, b) => a - b),
          all,
        )
      } finally {
        await consumer.close({ timeoutMs: 2000 })
        await producer.close({ timeoutMs: 1000 })
        await admin.close()
        await broker.kill()
        rmSync(dataDir, { recursive: true, force: true })
      }
    },
  )
}
