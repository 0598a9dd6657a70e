/** Entry of a worker thread that holds connections, partitions, or both. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { preloadDisk } from '../src/broker/keeping.ts'
import { runWorker } from '../src/broker/worker.ts'

runWorker(parentPort as MessagePort)
if (workerData.preloadDisk) preloadDisk()
