/** Entry of a worker thread that holds connections, partitions, or both. */
import { type MessagePort, parentPort } from 'node:worker_threads'
import { runWorker } from '../src/broker/worker.ts'

runWorker(parentPort as MessagePort)
