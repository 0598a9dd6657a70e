/**
 * Asking the owners of partitions: each thread gets one message with all that a request asks of it.
 */

/** What is asked of one partition's owner. */
export interface OwnerQuestion<Item, Answer> {
  readonly thread: number
  readonly item: Item
  /** `undefined`: the thread was lost before it answered. */
  onAnswer(answer: Answer | undefined): void
}

/** Asks the owners of one thread, and answers in the order of `items`; see `OwnerQuestion`. */
type CallOwners<Item, Answer> = (
  thread: number,
  items: readonly Item[],
  answer: (answers: readonly Answer[] | undefined) => void,
) => void

/** An answer that only the partition's owner can complete. */
export interface OpenAnswer<Item, Answer> {
  readonly thread: number
  readonly item: Item
  /** What the owner says is written into it. */
  readonly into: Answer
}

/** Completes the answers, with `lost` where the thread was lost, and calls `done`. */
export function completeByOwners<Item, Answer extends object>(
  open: readonly OpenAnswer<Item, Answer>[],
  lost: Answer,
  call: CallOwners<Item, Answer>,
  done: () => void,
): void {
  const questions = open.map(({ thread, item, into }) => ({
    thread,
    item,
    onAnswer: (answer: Answer = lost) => Object.assign(into, answer),
  }))
  askOwners(questions, call, done)
}

/**
 * Sends each thread its questions by `call`, which answers them in order, and calls `done` when all
 * were answered.
 */
export function askOwners<Item, Answer>(
  questions: readonly OwnerQuestion<Item, Answer>[],
  call: CallOwners<Item, Answer>,
  done: () => void,
): void {
  const byThread = new Map<number, OwnerQuestion<Item, Answer>[]>()
  for (const question of questions) {
    const others = byThread.get(question.thread)
    if (others) others.push(question)
    else byThread.set(question.thread, [question])
  }
  let threadsLeft = byThread.size
  if (threadsLeft === 0) done()
  for (const [thread, asked] of byThread) {
    const items = asked.map(({ item }) => item)
    call(thread, items, (answers) => {
      for (const [at, question] of asked.entries()) question.onAnswer(answers?.[at])
      threadsLeft -= 1
      if (threadsLeft === 0) done()
    })
  }
}
