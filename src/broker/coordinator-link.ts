/**
 * The way from every thread to the coordinator actor and back. On the coordinator's own thread it
 * is a call; from others a request, whose answer is a message of its own when it has to wait.
 */
import type { Coordinator } from '../actors/coordinator.ts'
import type {
  CoordinatorAnswer,
  CoordinatorAnswers,
  CoordinatorCommand,
  CoordinatorReceipt,
  CoordinatorRequest,
} from '../actors/mailbox/coordinator.ts'

/** What a link needs of its thread. */
export interface CoordinatorLinkParts {
  readonly thread: number
  readonly coordinatorThread: number
  /** The actor, on its thread. */
  coordinator(): Coordinator
  /** Sends a message to another thread; answers undefined when that thread was lost. */
  call(
    thread: number,
    message: CoordinatorRequest | CoordinatorAnswer,
    answer: (receipt: CoordinatorReceipt | null | undefined) => void,
  ): void
}

type Answer = (result: unknown) => void

/** Lives on each thread. What waits is bounded by the connections: each has one request open. */
export class CoordinatorLink {
  readonly #parts: CoordinatorLinkParts
  /** Asked and not answered yet, by token. */
  readonly #waiting = new Map<number, Answer>()
  // Answers to a thread of this number that died must not look like those to its successor.
  #nextToken = Math.floor(Math.random() * 2 ** 48)

  constructor(parts: CoordinatorLinkParts) {
    this.#parts = parts
  }

  /** Asks the coordinator; undefined answers one that was lost. */
  call<C extends CoordinatorCommand>(
    command: C,
    answer: (result: CoordinatorAnswers[C['kind']] | undefined) => void,
  ): void {
    const { thread, coordinatorThread } = this.#parts
    if (thread === coordinatorThread) {
      this.#parts.coordinator().onCommand(command, answer)
      return
    }
    const token = this.#nextToken++
    this.#waiting.set(token, answer as Answer)
    this.#parts.call(coordinatorThread, { kind: 'coordinate', token, command }, (receipt) => {
      if (receipt === undefined || receipt === null) this.#settle(token, undefined)
      else if (receipt.answered) this.#settle(token, receipt.answer)
    })
  }

  /** A request that came to the coordinator's thread. */
  onRequest(
    from: number,
    { token, command }: CoordinatorRequest,
    reply: (receipt: CoordinatorReceipt) => void,
  ): void {
    let replied = false
    let within = true
    this.#parts.coordinator().onCommand(command, (answer) => {
      if (within) {
        replied = true
        reply({ answered: true, answer })
      } else {
        this.#parts.call(from, { kind: 'coordinated', token, answer }, () => {})
      }
    })
    within = false
    if (!replied) reply({ answered: false })
  }

  /** A held answer that came to the thread that asked. */
  onAnswer({ token, answer }: CoordinatorAnswer): void {
    this.#settle(token, answer)
  }

  /** A thread died: if it was the coordinator's, its held answers will not come. */
  peerLost(peer: number): void {
    if (peer !== this.#parts.coordinatorThread) return
    for (const token of [...this.#waiting.keys()]) this.#settle(token, undefined)
  }

  #settle(token: number, result: unknown): void {
    const answer = this.#waiting.get(token)
    this.#waiting.delete(token)
    answer?.(result)
  }
}
