/**
 * One consumer per worker thread. A consumer lives on one thread; where the work on records takes
 * the time, several threads share the partitions as members of one group. `broker.connect()` gives a
 * port, which is handed to the thread like any other: no network in between.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { Broker, Consumer, Producer } from 'odradek'

const TOPIC = 'documents'
const PARTITIONS = 8
const THREADS = 3
const DOCUMENTS = 2000

if (isMainThread) await main()
else await work(workerData.port)

/** What each thread does. */
async function work(port) {
  const consumer = new Consumer({
    port,
    groupId: 'digests',
    autoOffsetReset: 'earliest',
    heartbeatIntervalMs: 100, // So that a member soon hears that another one joins.
  })
  parentPort.once('message', () => consumer.close()) // Commits, leaves, and ends the loop below.
  await consumer.subscribe([TOPIC], {
    onPartitionsAssigned: ({ length }) => parentPort.postMessage({ partitions: length }),
  })
  for await (const { value } of consumer) {
    parentPort.postMessage({ document: String(value), digest: digestOf(value) })
  }
}

async function main() {
  const broker = await Broker.start({
    storage: 'memory',
    topics: [{ topic: TOPIC, numPartitions: PARTITIONS }],
  })

  const progress = new EventEmitter()
  const digests = new Map()
  const threads = Array.from({ length: THREADS }, () => {
    const port = broker.connect()
    const url = new URL(import.meta.url)
    const worker = new Worker(url, { workerData: { port }, transferList: [port] })
    const thread = { worker, partitions: 0, documents: 0 }
    worker.on('message', ({ partitions, document, digest }) => {
      if (partitions === undefined) {
        digests.set(document, digest)
        thread.documents++
      } else {
        thread.partitions = partitions
      }
      progress.emit('change')
    })
    return thread
  })
  const isShared = () =>
    threads.every(({ partitions }) => partitions > 0) &&
    threads.reduce((sum, { partitions }) => sum + partitions, 0) === PARTITIONS
  while (!isShared()) await once(progress, 'change')

  const producer = new Producer({ port: broker.connect(), partitioner: 'roundRobin' })
  const documents = Array.from({ length: DOCUMENTS }, (_, n) => `document ${n}`)
  await producer.send({ topic: TOPIC, messages: documents.map((value) => ({ value })) })
  await producer.close()
  while (digests.size < DOCUMENTS) await once(progress, 'change')

  for (const { worker } of threads) worker.postMessage('stop')
  await Promise.all(threads.map(({ worker }) => once(worker, 'exit')))
  await broker.stop()

  for (const document of documents) assert.equal(digests.get(document), digestOf(document))
  for (const [n, { partitions, documents }] of threads.entries()) {
    console.log(`thread ${n}: ${documents} documents of ${partitions} partitions`)
    assert.equal(documents, (DOCUMENTS / PARTITIONS) * partitions)
  }
}

function digestOf(document) {
  return createHash('sha256').update(document).digest('hex')
}
