/** Producer ids of one thread: a block at a time from the controller, each given out once. */
import type { ControllerAnswers, ControllerCommand } from './mailbox/controller.ts'

/** How the controller is asked. */
type CallController = <C extends ControllerCommand>(
  command: C,
  answer: (result: ControllerAnswers[C['kind']] | undefined) => void,
) => void

/** `#waiting` is bounded by the connections, of which each has one request under way. */
export class ProducerIds {
  readonly #callController: CallController
  #next = 0
  #end = 0
  #waiting: ((producerId: number | undefined) => void)[] = []

  constructor(callController: CallController) {
    this.#callController = callController
  }

  /** Hands an id that nobody else has to `answer`; undefined: no block could be had. */
  take(answer: (producerId: number | undefined) => void): void {
    if (this.#next < this.#end) {
      answer(this.#next++)
      return
    }
    this.#waiting.push(answer)
    if (this.#waiting.length === 1) this.#fetchBlock()
  }

  #fetchBlock(): void {
    this.#callController({ kind: 'allocate-producer-ids' }, (block) => {
      const waiting = this.#waiting
      this.#waiting = []
      if (block && block.count > 0) {
        this.#next = block.first
        this.#end = block.first + block.count
      }
      // Who finds the block used up already waits for the next one.
      for (const answer of waiting) {
        if (block && block.count > 0) this.take(answer)
        else answer(undefined)
      }
    })
  }
}
