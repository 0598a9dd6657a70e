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

/**
 * Sends each thread its questions by `call`, which answers them in order, and calls `done` when all
 * were answered.
 */
export function askOwners<Item, Answer>(
  questions: readonly OwnerQuestion<Item, Answer>[],
  call: (
    thread: number,
    items: readonly Item[],
    answer: (answers: readonly Answer[] | undefined) => void,
  ) => void,
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
