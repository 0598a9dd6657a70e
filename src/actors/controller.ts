/**
 * The controller: the one writer of metadata, on the coordinator's thread. It takes commands one
 * after another; each is decided against its own image, kept durably, applied here, told to every
 * other thread, and answered when all of them know it: who gets the answer may use what it made.
 */
import { unreachable } from '../base/assert.ts'
import { newUuid, ZERO_UUID } from '../base/uuid.ts'
import { alterConfigs } from '../cluster/alter-configs.ts'
import type {
  CreatedTopic,
  Decision,
  DeletedTopic,
  Outcome,
  TopicToDelete,
} from '../cluster/commands.ts'
import { createPartitions } from '../cluster/create-partitions.ts'
import { createTopics } from '../cluster/create-topics.ts'
import { deleteTopics } from '../cluster/delete-topics.ts'
import type { ClusterImage } from '../cluster/image.ts'
import { reset } from '../cluster/reset.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { type Metadata, PRODUCER_ID_BLOCK_SIZE } from '../storage/metadata.ts'
import { StorageError } from '../storage/storage-error.ts'
import type { ControllerAnswers, ControllerCommand, MetadataUpdate } from './mailbox/controller.ts'

/** What a controller is made of. */
export interface ControllerOptions {
  /** The image of this thread; the controller alone applies deltas to it. */
  readonly image: ClusterImage
  readonly store: Pick<Metadata, 'append' | 'nextProducerIdBlock'>
  /**
   * Tells all other threads; `done` is called once, when each has applied the update or is lost.
   */
  broadcast(update: MetadataUpdate, done: () => void): void
  /** Hears of topics that got one replica where more were asked for. */
  onLowered(topics: readonly string[]): void
  /** Hears of a disk that failed; the command is answered with an error. */
  onStorageError(error: StorageError): void
}

/** Commands that may wait behind the one that is being told to the threads. */
export const CONTROLLER_QUEUE_MAX = 10_000

type Answer = (result: ControllerAnswers[ControllerCommand['kind']] | undefined) => void

/** Lives on the coordinator's thread. Between calls at most one update is under way. */
export class Controller {
  readonly #options: ControllerOptions
  readonly #waiting: { command: ControllerCommand; answer: Answer }[] = []
  /** An update is being told to the threads; what comes meanwhile waits. */
  #busy = false
  #draining = false

  constructor(options: ControllerOptions) {
    this.#options = options
  }

  /** Takes a command; `answer` is called once, with undefined when too many are waiting. */
  onCommand<C extends ControllerCommand>(
    command: C,
    answer: (result: ControllerAnswers[C['kind']] | undefined) => void,
  ): void {
    if (this.#waiting.length >= CONTROLLER_QUEUE_MAX) {
      answer(undefined)
      return
    }
    this.#waiting.push({ command, answer: answer as Answer })
    this.#drain()
  }

  /**
   * Runs what waits until an update has to be awaited. Never nested: an answer may bring a command.
   */
  #drain(): void {
    if (this.#draining) return
    this.#draining = true
    while (!this.#busy) {
      const first = this.#waiting.shift()
      if (!first) break
      this.#busy = true
      this.#run(first.command, (result) => {
        this.#busy = false
        first.answer(result)
        this.#drain()
      })
    }
    this.#draining = false
  }

  #run(command: ControllerCommand, answer: Answer): void {
    switch (command.kind) {
      case 'create-topics':
        this.#settle(this.#createTopics(command), answer)
        break
      case 'delete-topics':
        this.#settle(this.#deleteTopics(command.topics), answer)
        break
      case 'create-partitions': {
        const { image } = this.#options
        this.#settle(createPartitions(image, command.topics, command.validateOnly), answer)
        break
      }
      case 'alter-configs':
        this.#settle(alterConfigs(this.#options.image, command), answer)
        break
      case 'allocate-producer-ids':
        this.#allocateProducerIds(answer)
        break
      case 'reset':
        this.#settle(reset(this.#options.image), answer)
        break
      default:
        unreachable(command)
    }
  }

  #createTopics(command: ControllerCommand & { kind: 'create-topics' }): Decision<CreatedTopic> {
    const { image } = this.#options
    const decision = createTopics(image, command, () => newTopicId(image))
    if (decision.lowered.length > 0) this.#options.onLowered(decision.lowered)
    return decision
  }

  #deleteTopics(topics: readonly TopicToDelete[]): Decision<DeletedTopic> {
    const { image } = this.#options
    if (image.brokerConfig['delete.topic.enable']) return deleteTopics(image, topics)
    const errorCode = ErrorCode.TOPIC_DELETION_DISABLED
    const errorMessage = 'Topic deletion is disabled.'
    return {
      answers: topics.map(({ name, id }) => ({ name, id, errorCode, errorMessage })),
      deltas: [],
    }
  }

  /** Disk first, then the images, then the answer. */
  #settle<A extends Outcome>({ answers, deltas }: Decision<A>, answer: Answer): void {
    if (deltas.length === 0) {
      answer(answers as never)
      return
    }
    try {
      this.#options.store.append(deltas)
    } catch (error) {
      this.#failed(error)
      answer(answers.map(unlessRefused) as never)
      return
    }
    for (const delta of deltas) this.#options.image.apply(delta)
    const update = { kind: 'metadata-update', deltas } as const
    this.#options.broadcast(update, () => answer(answers as never))
  }

  #allocateProducerIds(answer: Answer): void {
    try {
      const first = this.#options.store.nextProducerIdBlock()
      answer({ errorCode: ErrorCode.NONE, first, count: PRODUCER_ID_BLOCK_SIZE })
    } catch (error) {
      this.#failed(error)
      answer({ errorCode: ErrorCode.KAFKA_STORAGE_ERROR, first: -1, count: 0 })
    }
  }

  #failed(error: unknown): void {
    if (!(error instanceof StorageError)) throw error
    this.#options.onStorageError(error)
  }
}

/** What was decided well but could not be kept; a refusal stays what it was. */
function unlessRefused<A extends Outcome>(answer: A): A {
  if (answer.errorCode !== ErrorCode.NONE) return answer
  const errorMessage = 'The metadata could not be written to the disk.'
  return { ...answer, errorCode: ErrorCode.KAFKA_STORAGE_ERROR, errorMessage }
}

/** Kafka's tools take a leading dash for an option, so an id never begins with one. */
function newTopicId(image: ClusterImage): string {
  for (;;) {
    const id = newUuid(Math.random)
    if (!id.startsWith('-') && id !== ZERO_UUID && !image.topicById(id)) return id
  }
}
