/** A worker's life: start, listen, drain, stop, as the supervisor says. */
import type { MessagePort } from 'node:worker_threads'
import type { Task, TaskOutcome } from '../actors/mailbox/task.ts'
import { unreachable } from '../base/assert.ts'
import type { Log, LogFields } from '../base/log.ts'
import { type CodeQuestion, lendCode } from './code-lending.ts'
import type { CodeLoader } from './code-loader.ts'
import { preloadDisk } from './keeping.ts'
import { Shard } from './shard.ts'
import type { FromWorker, ToWorker, WorkerOptions } from './supervision.ts'
import { BrokerThread } from './thread.ts'

/** How a worker was made. */
export interface WorkerParts {
  readonly loader: CodeLoader
  /** Load the code of the disk before anybody asks for it. */
  readonly preloadsDisk: boolean
}

/**
 * What a thread may hold when its broker has stopped and yet be left to the next one, in bytes. One
 * that served a little has 13 MiB on its heap, and LMDB's code maps 17 MiB beside it.
 */
const SPARE_BYTES_MAX = 64 * 1024 * 1024

/** How often, a ms apart, it is looked whether something of the broker is left. */
const LOOKS_MAX = 5

/**
 * Serves the supervisor at the other end of `port` until it says stop; after that the next one, if
 * the thread is fit for it.
 */
export function runWorker(port: MessagePort, { loader, preloadsDisk }: WorkerParts): void {
  let worker = new BrokerWorker(port, loader)
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'start') worker = new BrokerWorker(port, loader)
    worker.onMessage(message).catch((error: NodeJS.ErrnoException) => {
      worker.tell({ kind: 'failed', message: error.message, code: error.code })
    })
  })
  if (preloadsDisk) preloadDisk()
}

/** One thread of the broker on a worker. */
class BrokerWorker {
  readonly #port: MessagePort
  readonly #loader: CodeLoader
  #thread: BrokerThread | undefined
  /** Whoever comes before the thread is open waits for it. */
  #opened: Promise<void> | undefined
  /** The thread has opened. */
  #serves = false
  #shard: Shard | undefined
  /** Who waits for which task. */
  readonly #tasks = new Map<number, (outcome: TaskOutcome) => void>()
  #lastTask = 0

  constructor(port: MessagePort, loader: CodeLoader) {
    this.#port = port
    this.#loader = loader
  }

  tell(message: FromWorker): void {
    this.#port.postMessage(message)
  }

  async onMessage(message: ToWorker): Promise<void> {
    const thread = this.#thread as BrokerThread
    switch (message.kind) {
      case 'start':
        this.#thread = new BrokerThread(message.options, this.#log(message.options), (task) =>
          this.#runTask(task),
        )
        this.#opened = this.#thread.start()
        await this.#opened
        this.#serves = true
        this.tell({ kind: 'opened' })
        return
      case 'listen':
        await this.#opened
        this.#shard ??= new Shard(thread)
        this.tell({ kind: 'listening', ports: await this.#shard.listenAll(message.plans) })
        return
      case 'connect':
        await this.#opened
        this.#shard ??= new Shard(thread)
        this.#shard.connect(message.port, message.wiring)
        return
      case 'reset':
        this.tell({ kind: 'was-reset', error: await thread.reset() })
        return
      case 'drain':
        thread.beginStop()
        await this.#shard?.stop()
        this.tell({ kind: 'drained' })
        return
      case 'stop':
        await this.#stop()
        return
      case 'peer-lost':
        thread.peerLost(message.peer)
        return
      case 'rewire':
        thread.bus?.rewire(message.peer, message.link)
        return
      case 'task-done':
        this.#tasks.get(message.id)?.(message.outcome)
        this.#tasks.delete(message.id)
        return
      case 'lend-code':
        this.#lendCode(message.question)
        return
      default:
        unreachable(message)
    }
  }

  /** The supervisor has it as well, for those to come. */
  #lendCode(question: CodeQuestion): void {
    const code = this.#loader.give()
    lendCode(question, code)
    this.tell({ kind: 'code', code })
  }

  async #stop(): Promise<void> {
    await this.#thread?.stop()
    const isSpare = this.#serves && (await this.#isFit())
    this.#thread = undefined
    this.#shard = undefined
    this.tell({ kind: 'stopped', code: this.#loader.give(), isSpare })
    if (!isSpare) this.#port.close()
  }

  /**
   * Whether the next broker may have this thread: the stopped one had no other, and nothing of it
   * can run any more.
   */
  async #isFit(): Promise<boolean> {
    if ((this.#thread as BrokerThread).options.threadCount > 1) return false
    // What was just closed counts until the next turn, and LMDB has timers of the shortest kind.
    await new Promise((resolve) => setImmediate(resolve))
    for (let look = 1; isBusy() && look < LOOKS_MAX; look++) {
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    const { heapUsed, external } = process.memoryUsage()
    return !isBusy() && heapUsed + external <= SPARE_BYTES_MAX
  }

  #runTask(task: Task): Promise<TaskOutcome> {
    const id = ++this.#lastTask
    this.tell({ kind: 'task', id, task })
    return new Promise((resolve) => this.#tasks.set(id, resolve))
  }

  /** Entries go to the supervisor, whose thread owns standard error. */
  #log(options: WorkerOptions): Log {
    const write = (severity: 'debug' | 'info' | 'warn' | 'error') => {
      return (message: string, fields: LogFields = {}) => {
        this.tell({ kind: 'log', severity, message, fields })
      }
    }
    return {
      debug: options.logLevelIsDebug ? write('debug') : () => {},
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
    }
  }
}

/** Whether this thread waits for anything but its supervisor. */
function isBusy(): boolean {
  return process.getActiveResourcesInfo().length > 1
}
