/** A log that has lost records that were read. */
import { mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { truncationOf } from '../../src/client/position-validator.ts'
import { Consumer, type ConsumerSettings, KafkaError, Producer } from '../../src/index.ts'
import { batchSize } from '../../src/protocol/record-batch.ts'
import { BrokerProcess } from '../support/broker-process.ts'

const READ = 10
const KEPT = 5

test('what an answer means', (t) => {
  t.deepEqual(truncationOf(7, { endOffset: 7, leaderEpoch: 2 }), { kind: 'none' })
  t.deepEqual(truncationOf(7, { endOffset: 9, leaderEpoch: 2 }), { kind: 'none' })
  const cut = { endOffset: 6, leaderEpoch: 1 }
  t.deepEqual(truncationOf(7, cut), { kind: 'cut', ...cut })
  t.deepEqual(truncationOf(7, { endOffset: -1, leaderEpoch: -1 }), { kind: 'unknown' })
})

test.serial('what is written over lost records is read, all of it', async (t) => {
  await afterLoss(t, { autoOffsetReset: 'earliest' }, async (consumer) => {
    const values: string[] = []
    while (values.length < READ) values.push(...(await valuesOf(consumer)))
    t.deepEqual(values, texts('new'))
  })
})

test.serial('without autoOffsetReset the loss is an error that says where', async (t) => {
  await afterLoss(t, { autoOffsetReset: 'none' }, async (consumer) => {
    const error = await t.throwsAsync(readUntilError(consumer), { instanceOf: KafkaError })
    t.like(error, { name: 'LOG_TRUNCATION', divergentOffset: KEPT })
    consumer.seek({ topic: 't', partition: 0, offset: KEPT })
    const values: string[] = []
    while (values.length < READ) values.push(...(await valuesOf(consumer)))
    t.deepEqual(values, texts('new'))
  })
})

test.serial('a committed offset behind what was lost is noticed as well', async (t) => {
  const settings = { groupId: 'g', autoOffsetReset: 'earliest' } as const
  await afterLoss(t, settings, async (consumer, target) => {
    await consumer.close()
    await using next = new Consumer({ ...target, ...settings })
    next.assign([{ topic: 't', partition: 0 }])
    const values: string[] = []
    while (values.length < READ) values.push(...(await valuesOf(next)))
    t.deepEqual(values, texts('new'))
  })
})

const texts = (what: string) => Array.from({ length: READ }, (_, i) => `${what} ${i}`)

/** Reads ten records, takes the last five away while the broker is down, and writes ten others. */
async function afterLoss(
  t: ExecutionContext,
  settings: ConsumerSettings,
  then: (consumer: Consumer, target: { bootstrapServers: string }) => Promise<void>,
): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'odradek-truncation-'))
  let broker = await BrokerProcess.start({ dataDir })
  const { port } = broker
  const target = { bootstrapServers: `127.0.0.1:${port}` }
  const consumer = new Consumer({ ...target, ...settings, enableAutoCommit: false })
  try {
    await send(target, texts('old'))
    consumer.assign([{ topic: 't', partition: 0 }])
    consumer.seek({ topic: 't', partition: 0, offset: 0 })
    const values: string[] = []
    while (values.length < READ) values.push(...(await valuesOf(consumer)))
    t.deepEqual(values, texts('old'))
    if (settings.groupId !== undefined) await consumer.commit()
    await broker.kill()
    cut(dataDir)
    broker = await BrokerProcess.start({ dataDir, port })
    await send(target, texts('new'))
    await then(consumer, target)
  } finally {
    await consumer.close({ timeoutMs: 2000 })
    await broker.kill()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** One batch for each. */
async function send(target: { bootstrapServers: string }, values: readonly string[]) {
  await using producer = new Producer(target)
  for (const value of values) await producer.send({ topic: 't', messages: [{ value }] })
}

/** As a disk that has lost its last writes; the index, which can be derived, is made anew. */
function cut(dataDir: string): void {
  const file = join(dataDir, 't-0', '00000000000000000000.log')
  const bytes = readFileSync(file)
  let at = 0
  for (let i = 0; i < KEPT; i++) at += batchSize(bytes, at)
  truncateSync(file, at)
  rmSync(join(dataDir, 'odradek', 'index'), { recursive: true })
}

async function valuesOf(consumer: Consumer): Promise<string[]> {
  return (await consumer.poll({ timeoutMs: 1000 })).map(({ value }) => String(value))
}

async function readUntilError(consumer: Consumer): Promise<never> {
  for (;;) await consumer.poll({ timeoutMs: 1000 })
}
