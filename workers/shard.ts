/** Entry of a worker thread that holds connections, partitions, or both. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { runWorker } from '../src/broker/worker.ts'

await runWorker(workerData, parentPort as MessagePort)
