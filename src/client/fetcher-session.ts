/** The fetch session with one broker: what it remembers need not be said again. Plain state,
 *  without IO. KIP-227. */
import { ErrorCode } from '../protocol/errors.ts'

const EPOCH_MAX = 0x7fffffff

/** A request without the session mends these. */
const SESSION_ERRORS: ReadonlySet<number> = new Set([
  ErrorCode.FETCH_SESSION_ID_NOT_FOUND,
  ErrorCode.INVALID_FETCH_SESSION_EPOCH,
  ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR,
  ErrorCode.INCONSISTENT_TOPIC_ID,
])

/** A partition to fetch. */
export interface FetchTarget {
  readonly topic: string
  /** undefined: the broker knows no topic ids. */
  readonly topicId: string | undefined
  readonly partition: number
  readonly fetchOffset: number
  /** -1: not known. */
  readonly leaderEpoch: number
}

/** What a request has to say. */
export interface FetchPlan<T> {
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly targets: readonly T[]
  readonly forgotten: readonly T[]
}

/** Lives with one broker; one request at a time. */
export class FetchSession<T extends FetchTarget> {
  #id = 0
  /** 0: the next request tells everything and asks for a new session. */
  #epoch = 0
  #known = new Map<string, T>()
  #named = new Map<string, T>()

  /** The next request for `wanted`. Has to be followed by `onAnswer` or `onFailure`. */
  plan(wanted: readonly T[]): FetchPlan<T> {
    const next = new Map(wanted.map((target) => [nameOf(target), target]))
    const known = this.#known
    this.#known = next
    this.#named = new Map(wanted.map((target) => [plainNameOf(target), target]))
    const sessionId = this.#id
    const sessionEpoch = this.#epoch
    if (sessionEpoch === 0) return { sessionId, sessionEpoch, targets: wanted, forgotten: [] }
    const targets = wanted.filter((target) => !isSame(known.get(nameOf(target)), target))
    const forgotten = [...known].filter(([name]) => !next.has(name)).map(([, target]) => target)
    return { sessionId, sessionEpoch, targets, forgotten }
  }

  /** Takes in the head of an answer; false: the session is gone, and the request has to be made
   *  anew. */
  onAnswer(errorCode: number, sessionId: number): boolean {
    if (errorCode !== ErrorCode.NONE) {
      this.#id = errorCode === ErrorCode.FETCH_SESSION_ID_NOT_FOUND ? 0 : this.#id
      this.#epoch = 0
      return false
    }
    if (sessionId === 0) {
      this.#id = 0
      this.#epoch = 0
    } else {
      this.#id = sessionId
      this.#epoch = this.#epoch === EPOCH_MAX ? 1 : this.#epoch + 1
    }
    return true
  }

  /** No answer came: the broker may or may not have seen the request. */
  onFailure(): void {
    this.#epoch = 0
  }

  /** The partition of an answer, as the last plan named it. */
  target(topic: string, topicId: string, partition: number): T | undefined {
    return (
      this.#known.get(`${topicId}/${partition}`) ??
      this.#named.get(plainNameOf({ topic, partition }))
    )
  }
}

/** Whether a request that tells everything anew mends this. */
export function isSessionError(code: number): boolean {
  return SESSION_ERRORS.has(code)
}

/** Targets by topic, as the request wants them: `named`, or by id. */
export function groupedByTopic<T>(
  targets: readonly FetchTarget[],
  named: boolean,
  partitionOf: (target: FetchTarget) => T,
): { topic?: string; topicId?: string; partitions: T[] }[] {
  const topics = new Map<string, { topic?: string; topicId?: string; partitions: T[] }>()
  for (const target of targets) {
    const key = named ? target.topic : (target.topicId as string)
    let topic = topics.get(key)
    if (topic === undefined) {
      topic = { ...(named ? { topic: key } : { topicId: key }), partitions: [] }
      topics.set(key, topic)
    }
    topic.partitions.push(partitionOf(target))
  }
  return [...topics.values()]
}

function nameOf(target: FetchTarget): string {
  const { topicId, partition } = target
  return topicId === undefined ? plainNameOf(target) : `${topicId}/${partition}`
}

/** For brokers that know ids, but not in Fetch. */
function plainNameOf({ topic, partition }: Pick<FetchTarget, 'topic' | 'partition'>): string {
  return `${topic}//${partition}`
}

function isSame(known: FetchTarget | undefined, target: FetchTarget): boolean {
  return (
    known !== undefined &&
    known.fetchOffset === target.fetchOffset &&
    known.leaderEpoch === target.leaderEpoch
  )
}
