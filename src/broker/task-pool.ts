/**
 * The pool of threads for finite work on segment files. It has no thread before the first task, and
 * none after a while without. Lives on the thread that started the broker.
 */
import { fileURLToPath } from 'node:url'
import type { Piscina } from 'piscina'
import type { Task, TaskOutcome } from '../actors/mailbox/task.ts'
import type { TaskThreadData } from './task.ts'
import type { ThreadOptions } from './thread.ts'

/** The entry of its threads: beside this code in the bundle, in its own room otherwise. */
const ENTRY = new URL(
  import.meta.url.endsWith('.cjs') ? './task.cjs' : '../../workers/task.js',
  import.meta.url,
)
/**
 * A thread without work ends after this. It has 15 MB, and what V8 made of its code saves the next
 * round a fifth of its CPU.
 */
const IDLE_MS = 300_000
/** Where the system has priorities for threads, partitions come first. */
const NICENESS = 10

export class TaskPool {
  readonly #threadsMax: number
  readonly #data: TaskThreadData
  #pool: Promise<Piscina> | undefined
  /** Who waits for what: a thread that dies needs no answer. */
  readonly #running = new Map<Task, unknown>()

  constructor({ config, counters }: Pick<ThreadOptions, 'config' | 'counters'>) {
    this.#threadsMax = Math.max(1, config['log.cleaner.threads'])
    this.#data = { counters }
  }

  /** Does `task` when a thread is free. `owner`: who can abandon it. Never rejects. */
  async run(task: Task, owner: unknown): Promise<TaskOutcome> {
    this.#running.set(task, owner)
    try {
      this.#pool ??= this.#open()
      return await (await this.#pool).run(task)
    } catch (error) {
      return { kind: 'failed', message: (error as Error).message, passing: false }
    } finally {
      this.#running.delete(task)
    }
  }

  /** Ends the tasks of `owner`. */
  abandon(owner: unknown): void {
    for (const [task, of] of this.#running) if (of === owner) end(task)
  }

  /** Ends all tasks and threads. */
  async close(): Promise<void> {
    for (const task of this.#running.keys()) end(task)
    await (await this.#pool)?.destroy()
  }

  async #open(): Promise<Piscina> {
    const { Piscina } = await import('piscina')
    return new Piscina({
      filename: fileURLToPath(ENTRY),
      minThreads: 0,
      maxThreads: this.#threadsMax,
      idleTimeout: IDLE_MS,
      niceIncrement: NICENESS,
      workerData: this.#data,
    })
  }
}

function end({ abort }: Task): void {
  const words = new Int32Array(abort)
  Atomics.store(words, 0, 1)
  Atomics.notify(words, 0)
}
