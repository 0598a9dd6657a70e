/** A worker's life: open, listen, drain, stop, as the supervisor says. */
import type { MessagePort } from 'node:worker_threads'
import type { Log, LogFields } from '../base/log.ts'
import { Shard } from './shard.ts'
import type { FromWorker, ToWorker, WorkerOptions } from './supervision.ts'
import { BrokerThread } from './thread.ts'

/** Runs one thread of the broker until it is told to stop. */
export async function runWorker(options: WorkerOptions, port: MessagePort): Promise<void> {
  const tell = (message: FromWorker) => port.postMessage(message)
  const write = (severity: 'debug' | 'info' | 'warn' | 'error') => {
    return (message: string, fields: LogFields = {}) => {
      tell({ kind: 'log', severity, message, fields })
    }
  }
  const log: Log = {
    debug: options.logLevelIsDebug ? write('debug') : () => {},
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  }
  const thread = new BrokerThread(options, log)
  let shard: Shard | undefined
  port.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'listen':
        shard ??= new Shard(thread)
        listen(shard, message.plans).then(
          (ports) => tell({ kind: 'listening', ports }),
          (error) => tell({ kind: 'failed', message: error.message, code: error.code }),
        )
        return
      case 'drain':
        Promise.resolve(shard?.stop()).then(() => tell({ kind: 'drained' }))
        return
      case 'stop':
        thread.stop().then(
          () => {
            tell({ kind: 'stopped' })
            port.close()
          },
          (error) => tell({ kind: 'failed', message: error.message, code: undefined }),
        )
        return
      case 'peer-lost':
        thread.peerLost(message.peer)
        return
      case 'rewire':
        thread.bus?.rewire(message.peer, message.link)
        return
      default:
    }
  })
  try {
    await thread.start()
    tell({ kind: 'opened' })
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    tell({ kind: 'failed', message, code })
  }
}

/** Opens all listeners of a shard; answers their ports. */
export async function listen(
  shard: Shard,
  plans: Parameters<Shard['listen']>[0][] | readonly Parameters<Shard['listen']>[0][],
): Promise<number[]> {
  const ports: number[] = []
  for (const plan of plans) ports.push(await shard.listen(plan))
  return ports
}
