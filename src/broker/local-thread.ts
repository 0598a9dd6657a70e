/** A broker without workers (`odradek.shards=0`): everything on the caller's own thread. */
import type { MessagePort } from 'node:worker_threads'
import type { Log } from '../base/log.ts'
import type { PortWiring } from '../net/port-connections.ts'
import { type ListenerPlan, Shard } from './shard.ts'
import type { CommonOptions, ThreadHandle } from './supervisor.ts'
import { TaskPool } from './task-pool.ts'
import { BrokerThread } from './thread.ts'

export class LocalThread implements ThreadHandle {
  readonly #thread: BrokerThread
  readonly #tasks: TaskPool
  #shard: Shard | undefined

  constructor(options: CommonOptions, log: Log) {
    const own = { ...options, thread: 0, wiring: undefined, restarted: false }
    this.#tasks = new TaskPool(options)
    this.#thread = new BrokerThread(own, log, (task) => this.#tasks.run(task, this))
  }

  async open(): Promise<void> {
    await this.#thread.start()
  }

  async listen(plans: readonly ListenerPlan[]): Promise<readonly number[]> {
    this.#shard ??= new Shard(this.#thread)
    return await this.#shard.listenAll(plans)
  }

  connect(port: MessagePort, wiring: PortWiring): void {
    this.#shard ??= new Shard(this.#thread)
    this.#shard.connect(port, wiring)
  }

  async reset(): Promise<void> {
    const error = await this.#thread.reset()
    if (error !== null) throw new Error(error)
  }

  async stop(): Promise<void> {
    this.#thread.beginStop()
    await this.#shard?.stop()
    await this.#thread.stop()
    await this.#tasks.close()
  }
}
