/** Entry of a worker thread that holds connections, partitions, or both. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { CodeLoader } from '../src/broker/code-loader.ts'

const loader = new CodeLoader(workerData)
void loader.load().then(({ runWorker }) => {
  runWorker(parentPort as MessagePort, { loader, preloadsDisk: workerData.preloadsDisk })
})
