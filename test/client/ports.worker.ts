/** A consumer on a thread of its own, over the port that it was given: says what it has committed
 *  while a fetch waits. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { Consumer } from '../../src/index.ts'
import { assigned, patient, reading } from './patient-consumer.ts'

const { port } = workerData as { port: MessagePort }
const consumer = new Consumer({ port, ...patient })
const reads = reading(consumer)
const all = await assigned(consumer, 2)
for (const one of all) await consumer.position(one)
await consumer.commit(all.map((one) => ({ ...one, offset: 0 })))
const committed = await consumer.committed(all)
await consumer.close()
await reads
parentPort?.postMessage(committed.map(({ offset }) => offset))
