/**
 * Makes the threads of a broker and keeps them alive: a worker that dies is started again, its
 * peers are told and wired with its successor. Lives on the thread that started the broker.
 */
import type { MessagePort, Worker } from 'node:worker_threads'
import type { Task } from '../actors/mailbox/task.ts'
import type { Log } from '../base/log.ts'
import type { PortWiring } from '../net/port-connections.ts'
import { portsOf, rewireThread, type ThreadWiring, wireThreads } from '../ring/wiring.ts'
import type { ListenerPlan } from './shard.ts'
import type { FromWorker, ToWorker, WorkerOptions } from './supervision.ts'
import { TaskPool } from './task-pool.ts'
import type { ThreadOptions } from './thread.ts'
import { keepCode, leaveWorker, lendsCode, lendsNoCode, takeWorker } from './worker-pool.ts'

/** The threads of a broker as a whole. */
export interface ThreadHandle {
  /** Resolves when all partitions are open. Rejects when one thread cannot open. */
  open(): Promise<void>
  /** Begins to accept, beside what is open; answers the ports in the order of `plans`. */
  listen(plans: readonly ListenerPlan[]): Promise<readonly number[]>
  /** Hands the server's end of a message port connection to a shard. */
  connect(port: MessagePort, wiring: PortWiring): void
  /** Back to an empty broker; connections stay. */
  reset(): Promise<void>
  /** Drains connections, flushes, ends the threads. */
  stop(): Promise<void>
}

/** What all threads of a broker have in common. */
export type CommonOptions = Omit<ThreadOptions, 'thread' | 'wiring' | 'restarted'>

/** A dead worker is started again after this, doubled with each death up to the maximum. */
const RESTART_MS = 100
const RESTART_MS_MAX = 30_000
/** A worker that lived this long starts counting afresh. */
const SETTLED_MS = 60_000

type Kind = FromWorker['kind']

/** One worker as its supervisor sees it. */
class WorkerHandle {
  readonly worker: Worker
  readonly startedMs = performance.now()
  /** The plans whose listeners are open here. */
  readonly listening = new Set<ListenerPlan>()
  readonly #waiting = new Map<
    Kind,
    { resolve: (message: FromWorker) => void; reject: (e: Error) => void }
  >()
  #error: Error | undefined
  #isSpare = false
  /** The thread is gone, or another broker's. */
  ended = false

  constructor(
    worker: Worker,
    log: Log,
    tasks: TaskPool,
    onExit: (error: Error | undefined) => void,
  ) {
    this.worker = worker
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'log') log[message.severity](message.message, message.fields)
      else if (message.kind === 'task') this.#runTask(tasks, message.id, message.task)
      else this.#settle(message)
    })
    worker.on('error', (error: Error) => {
      this.#error = error
    })
    worker.on('exit', () => {
      this.ended = true
      lendsNoCode(worker)
      const error = this.#endError()
      for (const { reject } of this.#waiting.values()) reject(error)
      this.#waiting.clear()
      tasks.abandon(this)
      onExit(this.#error)
    })
  }

  tell(message: ToWorker): void {
    this.worker.postMessage(message, transfersOf(message))
  }

  /** Resolves with the next message of `kind`; rejects when the worker fails or dies before. */
  next<K extends Kind>(kind: K): Promise<Extract<FromWorker, { kind: K }>> {
    if (this.ended) return Promise.reject(this.#endError())
    return new Promise((resolve, reject) => {
      this.#waiting.set(kind, { resolve: resolve as (message: FromWorker) => void, reject })
    })
  }

  /** After the last answer: the thread ends, or is left to the next broker. */
  async leave(): Promise<void> {
    this.ended = true
    lendsNoCode(this.worker)
    if (this.#isSpare) await leaveWorker(this.worker)
    else await this.worker.terminate()
  }

  #endError(): Error {
    return this.#error ?? new Error('a worker ended unexpectedly')
  }

  #runTask(tasks: TaskPool, id: number, task: Task): void {
    void tasks.run(task, this).then((outcome) => {
      if (!this.ended) this.tell({ kind: 'task-done', id, outcome })
    })
  }

  #settle(message: FromWorker): void {
    if (message.kind === 'failed') {
      const error = Object.assign(new Error(message.message), { code: message.code })
      for (const { reject } of this.#waiting.values()) reject(error)
      this.#waiting.clear()
      return
    }
    if (message.kind === 'stopped') {
      keepCode(message.code)
      this.#isSpare = message.isSpare
    } else if (message.kind === 'code') keepCode(message.code)
    else if (message.kind === 'opened') lendsCode(this.worker)
    const waiting = this.#waiting.get(message.kind)
    this.#waiting.delete(message.kind)
    waiting?.resolve(message)
  }
}

/** One worker per thread. */
export class WorkerThreads implements ThreadHandle {
  readonly #options: CommonOptions
  readonly #log: Log
  #first: Worker | undefined
  readonly #wirings: ThreadWiring[]
  readonly #workers: WorkerHandle[] = []
  readonly #deaths: number[] = []
  readonly #tasks: TaskPool
  /** Listeners that are open, with the ports that they got. */
  readonly #plans: ListenerPlan[] = []
  /** The last of those who open listeners, one after the other. */
  #listening: Promise<unknown> = Promise.resolve()
  /** Message port connections made so far: the shards take them in turn. */
  #connections = 0
  /** All threads were open once: from now on a worker that dies is started again. */
  #serving = false
  #stopping = false

  /** `first`: made ahead, for thread 0. */
  constructor(options: CommonOptions, log: Log, first: Worker) {
    this.#options = options
    this.#log = log
    this.#first = first
    this.#tasks = new TaskPool(options)
    this.#wirings = options.threadCount > 1 ? wireThreads(options.threadCount) : []
  }

  async open(): Promise<void> {
    const opened: Promise<unknown>[] = []
    for (let thread = 0; thread < this.#options.threadCount; thread++) {
      opened.push(this.#spawn(thread, false).next('opened'))
    }
    await Promise.all(opened)
    this.#serving = true
  }

  listen(plans: readonly ListenerPlan[]): Promise<readonly number[]> {
    return this.#inTurn(() => this.#listen(plans))
  }

  async #listen(plans: readonly ListenerPlan[]): Promise<readonly number[]> {
    const first = this.#workers[0] as WorkerHandle
    const { ports } = await this.#listenOn(first, plans)
    for (const [i, plan] of plans.entries()) {
      const bound = { ...plan, port: ports[i] ?? plan.port }
      this.#plans.push(bound)
      first.listening.add(bound)
    }
    // One that died meanwhile opens them when it is back.
    const others = this.#workers.map((one, thread) => this.#listenAsAll(one, thread))
    await Promise.allSettled(others)
    return ports
  }

  /** Opens what is open elsewhere and not yet on this thread. */
  async #listenAsAll(worker: WorkerHandle, thread: number): Promise<void> {
    const missing = this.#plans.filter((plan) => {
      return this.#accepts(thread, plan) && !worker.listening.has(plan)
    })
    if (missing.length === 0) return
    await this.#listenOn(worker, missing)
    for (const plan of missing) worker.listening.add(plan)
  }

  /** A worker tells of one listening at a time. */
  #inTurn<T>(open: () => Promise<T>): Promise<T> {
    const opened = this.#listening.then(open)
    this.#listening = opened.catch(() => {})
    return opened
  }

  /**
   * Whether a thread accepts connections: the first alone, or every shard where the system shares
   * ports.
   */
  #accepts(thread: number, { reusePort }: ListenerPlan): boolean {
    return thread === 0 || (reusePort && thread < this.#options.placement.shards)
  }

  connect(port: MessagePort, wiring: PortWiring): void {
    const shard = this.#connections++ % this.#options.placement.shards
    const worker = this.#workers[shard] as WorkerHandle
    // Told to one that is dead, the port would stay open with nobody at its other end.
    if (worker.ended) port.close()
    else worker.tell({ kind: 'connect', port, wiring })
  }

  async reset(): Promise<void> {
    const coordinator = this.#workers[this.#options.placement.coordinatorThread] as WorkerHandle
    const done = coordinator.next('was-reset')
    coordinator.tell({ kind: 'reset' })
    const { error } = await done
    if (error !== null) throw new Error(error)
  }

  async stop(): Promise<void> {
    this.#stopping = true
    const alive = this.#workers.filter((one) => one.worker.threadId !== -1)
    await this.#ask(alive, { kind: 'drain' }, 'drained')
    await this.#ask(alive, { kind: 'stop' }, 'stopped')
    await Promise.all(alive.map((one) => one.leave()))
    await this.#tasks.close()
  }

  /** What one worker cannot do must not keep the others from stopping. */
  async #ask(workers: readonly WorkerHandle[], message: ToWorker, kind: Kind): Promise<void> {
    const answers = workers.map((one) => {
      const answer = one.next(kind)
      one.tell(message)
      return answer
    })
    for (const settled of await Promise.allSettled(answers)) {
      if (settled.status === 'rejected') {
        this.#log.error('a worker did not stop in order', { error: String(settled.reason) })
      }
    }
  }

  #listenOn(worker: WorkerHandle, plans: readonly ListenerPlan[]) {
    const listening = worker.next('listening')
    worker.tell({ kind: 'listen', plans })
    return listening
  }

  #spawn(thread: number, restarted: boolean): WorkerHandle {
    const wiring = this.#wirings[thread]
    const options: WorkerOptions = {
      ...this.#options,
      thread,
      wiring,
      restarted,
      logLevelIsDebug: this.#options.config['odradek.log.level'] === 'debug',
    }
    const worker = this.#first ?? takeWorker(!this.#options.inMemory)
    this.#first = undefined
    const handle = new WorkerHandle(worker, this.#log, this.#tasks, (error) =>
      this.#onExit(thread, error),
    )
    handle.tell({ kind: 'start', options })
    this.#workers[thread] = handle
    return handle
  }

  #onExit(thread: number, error: Error | undefined): void {
    if (this.#stopping || !this.#serving) return
    const { startedMs } = this.#workers[thread] as WorkerHandle
    if (performance.now() - startedMs > SETTLED_MS) this.#deaths[thread] = 0
    const deaths = (this.#deaths[thread] ?? 0) + 1
    this.#deaths[thread] = deaths
    const delayMs = Math.min(RESTART_MS_MAX, RESTART_MS * 2 ** (deaths - 1))
    this.#log.error('a worker died and is started again', {
      thread,
      inMs: delayMs,
      error: error?.stack ?? 'unknown',
    })
    for (const [peer, one] of this.#workers.entries()) {
      if (peer !== thread) one.tell({ kind: 'peer-lost', peer: thread })
    }
    setTimeout(() => {
      if (!this.#stopping) this.#restart(thread).catch((e: Error) => this.#log.error(e.message))
    }, delayMs)
  }

  async #restart(thread: number): Promise<void> {
    if (this.#wirings.length > 0) {
      const { links } = rewireThread(this.#wirings, thread)
      for (const [peer, link] of links)
        this.#workers[peer]?.tell({ kind: 'rewire', peer: thread, link })
    }
    const worker = this.#spawn(thread, true)
    await worker.next('opened')
    await this.#inTurn(() => this.#listenAsAll(worker, thread))
    this.#log.info('a worker is back', { thread })
  }
}

/** Ports must be handed over, not copied. */
function transfersOf(message: ToWorker): MessagePort[] {
  if (message.kind === 'rewire') return [message.link.port]
  if (message.kind === 'connect') return [message.port]
  if (message.kind === 'start' && message.options.wiring !== undefined) {
    return portsOf(message.options.wiring)
  }
  return []
}
