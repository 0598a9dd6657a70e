/**
 * What a handler sees of its thread: the cluster image, configuration, clocks, and the proxies of
 * the actors. One context per thread; built by `shard.ts`.
 */
import type { ControllerAnswers, ControllerCommand } from '../actors/mailbox/controller.ts'
import type { CoordinatorAnswers, CoordinatorCommand } from '../actors/mailbox/coordinator.ts'
import type { PartitionAnswers, PartitionCommand } from '../actors/mailbox/partition.ts'
import type { Clock } from '../base/clock.ts'
import type { ClusterImage } from '../cluster/image.ts'
import type { BrokerConfig } from '../config/broker.ts'
import type { FetchSessionCache } from './fetch-session.ts'
import type { PartitionProxy } from './partition-proxy.ts'
import type { Purgatory } from './purgatory.ts'

/** The advertised address of this broker on the listener that a connection came in on. */
export interface Endpoint {
  host: string
  port: number
}

export interface BrokerContext {
  /** The number of this thread; 0 is the first shard. */
  readonly thread: number
  /** How many threads hold partitions (shards and the coordinator's). */
  readonly threadCount: number
  /**
   * Topics, partitions and configurations as this thread knows them; only the controller changes
   * them.
   */
  readonly image: ClusterImage
  /** Static broker configuration (command line, environment, file, defaults). */
  readonly config: BrokerConfig
  readonly clock: Clock
  /** Hot commands of partitions: append and read. */
  readonly partitions: PartitionProxy
  /** Fetches that wait on this thread. */
  readonly purgatory: Purgatory
  readonly fetchSessions: FetchSessionCache
  /** Absolute data directory. */
  readonly dataDir: string
  /**
   * Sends a rare command to the partitions of one thread. `undefined` answers a thread that was
   * lost.
   */
  callPartitions<C extends PartitionCommand>(
    thread: number,
    command: C,
    answer: (result: PartitionAnswers[C['kind']] | undefined) => void,
  ): void
  /** Sends a command to the controller. `undefined` answers a controller that was lost. */
  callController<C extends ControllerCommand>(
    command: C,
    answer: (result: ControllerAnswers[C['kind']] | undefined) => void,
  ): void
  /**
   * Sends a command to the coordinator of groups. The answer may take minutes; `undefined` answers
   * a coordinator that was lost.
   */
  callCoordinator<C extends CoordinatorCommand>(
    command: C,
    answer: (result: CoordinatorAnswers[C['kind']] | undefined) => void,
  ): void
  /** Runs `then` once after at least `delayMs`; the returned function cancels. */
  after(delayMs: number, then: () => void): () => void
}
