/** Images, a controller over a store in memory, and handlers called without a network. */
import { Controller } from '../../src/actors/controller.ts'
import type {
  ControllerAnswers,
  ControllerCommand,
  MetadataUpdate,
} from '../../src/actors/mailbox/controller.ts'
import type {
  CoordinatorAnswers,
  CoordinatorCommand,
} from '../../src/actors/mailbox/coordinator.ts'
import type { PartitionAnswers, PartitionCommand } from '../../src/actors/mailbox/partition.ts'
import type { BrokerContext } from '../../src/broker/context.ts'
import type { Exchange, Handler } from '../../src/broker/handlers/handler.ts'
import type { MetadataDelta } from '../../src/cluster/delta.ts'
import { ClusterImage } from '../../src/cluster/image.ts'
import { effectiveBroker, staticLayers } from '../../src/config/effective.ts'
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../src/protocol/compile.ts'
import type { Api, RequestInput, ResponseInput, ResponseOf } from '../../src/protocol/schema.ts'
import { Writer } from '../../src/protocol/writer.ts'
import { MemoryCoordinator, MemoryLogs } from './memory-coordinator.ts'

export interface ImageParts {
  configs?: Readonly<Record<string, string>>
  startCount?: number
  shards?: number
  coordinatorThread?: number
}

/** An empty image of node 1. */
export function emptyImage(parts: ImageParts = {}): ClusterImage {
  const { configs = {}, startCount = 1, shards = 2, coordinatorThread = 2 } = parts
  return new ClusterImage({
    clusterId: 'abcdefghijklmnopqrstuA',
    nodeId: 1,
    startCount,
    placement: { shards, coordinatorThread },
    config: effectiveBroker(staticLayers(configs)),
  })
}

/** Ids that are valid and tell the order in which they were made. */
export function countingIds(): () => string {
  let made = 0
  return () => `id${String(++made).padStart(19, '0')}A`
}

/** Applies all deltas. */
export function applyAll(image: ClusterImage, deltas: readonly MetadataDelta[]): void {
  for (const delta of deltas) image.apply(delta)
}

/** A topic as the controller makes it, with slots from the image. */
export function addTopic(
  image: ClusterImage,
  name: string,
  parts: {
    partitions?: number
    configs?: Readonly<Record<string, string>>
    internal?: boolean
  } = {},
): string {
  const { partitions = 1, configs = {}, internal = false } = parts
  const id = `t-${name}`
    .padEnd(21, 'x')
    .slice(0, 21)
    .replace(/[^a-zA-Z0-9_-]/g, 'z')
    .concat('A')
  image.apply({
    kind: 'topic-created',
    name,
    id,
    internal,
    partitions: Array.from({ length: partitions }, (_, index) => ({
      slot: image.nextSlot + index,
      createdAtStart: image.startCount,
    })),
    configs: Object.entries(configs),
  })
  return id
}

/** A broker of one thread: image, controller, and a store that remembers what it was given. */
export class TestBroker {
  readonly image: ClusterImage
  readonly stored: MetadataDelta[] = []
  readonly updates: MetadataUpdate[] = []
  readonly controller: Controller
  readonly context: BrokerContext
  /** Sizes that the partitions answer, by slot. */
  readonly sizes = new Map<number, number>()
  /** Topics that got fewer replicas than were asked for. */
  readonly lowered: string[] = []
  controllerIsLost = false
  coordinatorIsLost = false
  readonly logs = new MemoryLogs()
  #coordinator: MemoryCoordinator | undefined
  readonly session = {
    clientSoftwareName: 'unknown',
    clientSoftwareVersion: 'unknown',
    name: '0:1',
    isCoordinated: false,
  }
  #nextProducerId = 0

  constructor(parts: ImageParts = {}) {
    this.image = emptyImage(parts)
    this.controller = new Controller({
      image: this.image,
      store: {
        append: (deltas) => {
          this.stored.push(...deltas)
        },
        nextProducerIdBlock: () => {
          this.#nextProducerId += 1000
          return this.#nextProducerId - 1000
        },
      },
      broadcast: (update, done) => {
        this.updates.push(update)
        done()
      },
      onLowered: (topics) => {
        this.lowered.push(...topics)
      },
      onStorageError: (error) => {
        throw error
      },
    })
    this.context = this.#contextOf()
  }

  /**
   * What a client of `apiVersion` reads: the request and the answer both go through the codecs, so
   * an answer that the version cannot carry fails here.
   */
  ask<A extends Api>(
    handler: Handler,
    api: A,
    request: RequestInput<A>,
    apiVersion = handler.served[1],
  ): ResponseOf<A> {
    const answers: ResponseInput<A>[] = []
    const exchange = {
      apiVersion,
      clientId: 'test',
      clientHost: '/127.0.0.1',
      endpoint: { host: 'broker.test', port: 9092 },
      session: this.session,
      context: this.context,
      reply: (answer: ResponseInput<A>) => answers.push(answer),
    }
    const asked = new Writer()
    encodeRequest(api, apiVersion, request, asked)
    const decoded = decodeRequest(api, apiVersion, asked.finish(), 0)
    handler.handle(decoded, exchange as unknown as Exchange<unknown>)
    const [answer] = answers
    if (!answer || answers.length > 1)
      throw new Error(`the handler answered ${answers.length} times`)
    const written = new Writer()
    encodeResponse(api, apiVersion, answer, written)
    return decodeResponse(api, apiVersion, written.finish(), 0)
  }

  /** Made at the first look. */
  get coordinator(): MemoryCoordinator {
    this.#coordinator ??= new MemoryCoordinator(this.image, this.logs, (command, answer) => {
      this.controller.onCommand(command, answer)
    })
    return this.#coordinator
  }

  /** The coordinator is gone, and another one begins with its logs. */
  restartCoordinator(): MemoryCoordinator {
    this.#coordinator?.actor.stop()
    this.#coordinator = undefined
    return this.coordinator
  }

  #contextOf(): BrokerContext {
    const broker = this
    return {
      thread: 0,
      threadCount: 3,
      image: this.image,
      config: this.image.brokerConfig,
      clock: { wallMs: () => 1_700_000_000_000, monotonicMs: () => 0 },
      dataDir: '/data',
      callPartitions<C extends PartitionCommand>(
        _thread: number,
        command: C,
        answer: (result: PartitionAnswers[C['kind']] | undefined) => void,
      ) {
        if (command.kind !== 'log-sizes') throw new Error(`unexpected ${command.kind}`)
        answer(command.slots.map((slot) => broker.sizes.get(slot) ?? -1) as never)
      },
      callController<C extends ControllerCommand>(
        command: C,
        answer: (result: ControllerAnswers[C['kind']] | undefined) => void,
      ) {
        if (broker.controllerIsLost) answer(undefined)
        else broker.controller.onCommand(command, answer)
      },
      callCoordinator<C extends CoordinatorCommand>(
        command: C,
        answer: (result: CoordinatorAnswers[C['kind']] | undefined) => void,
      ) {
        if (broker.coordinatorIsLost) answer(undefined)
        else broker.coordinator.actor.onCommand(command, answer)
      },
      after: () => () => {},
    } as unknown as BrokerContext
  }
}
