/**
 * Fetch sessions (KIP-227): what a consumer asked for last is remembered, so that it names only
 * what changed and is told only what is new. Pure; one cache per thread.
 */
import { ErrorCode } from '../protocol/errors.ts'

/** A session unused for this long may give its place to another. */
export const SESSION_EVICTION_MS = 120_000

/**
 * Partitions that all sessions of a thread remember together, some 20 MB; who asks for more gets
 * none.
 */
export const SESSION_TARGETS_MAX = 100_000

const FINAL_EPOCH = -1
const INITIAL_EPOCH = 0

/** One partition as a fetch asks for it. */
export interface FetchTarget {
  /** Name below Fetch v13, topic id from there on. */
  readonly topic: string
  readonly partition: number
  fetchOffset: number
  maxBytes: number
  currentLeaderEpoch: number
  lastFetchedEpoch: number
  /** What the session's client was told last; -1: tell again. */
  sentHighWatermark: number
  sentLogStartOffset: number
}

/** What a fetch says of its session. */
export interface SessionRequest {
  sessionId: number
  sessionEpoch: number
  /** Partitions are named by topic id. */
  usesTopicIds: boolean
  targets: readonly FetchTarget[]
  forgotten: readonly { topic: string; partition: number }[]
}

/** How a fetch is to be carried out. */
export type SessionPlan =
  | { kind: 'refused'; errorCode: ErrorCode }
  /** Everything that was asked is answered; `session` is the new one, if there is one. */
  | { kind: 'full'; targets: readonly FetchTarget[]; session: FetchSession | undefined }
  /** Only what is new is answered. */
  | { kind: 'incremental'; targets: readonly FetchTarget[]; session: FetchSession }

/** A session. Targets are in the order in which they are served. */
export class FetchSession {
  readonly id: number
  readonly usesTopicIds: boolean
  epoch = 1
  lastUsedMs: number
  readonly targets = new Map<string, FetchTarget>()

  constructor(id: number, usesTopicIds: boolean, nowMs: number) {
    this.id = id
    this.usesTopicIds = usesTopicIds
    this.lastUsedMs = nowMs
  }

  /** The partition goes to the end, so that one with much data does not starve the others. */
  rotate(target: FetchTarget): void {
    const key = keyOf(target)
    if (!this.targets.delete(key)) return
    this.targets.set(key, target)
  }
}

export class FetchSessionCache {
  readonly #slotsMax: () => number
  readonly #random: () => number
  /** The first was used longest ago. */
  readonly #sessions = new Map<number, FetchSession>()
  /** Partitions of all sessions. */
  #targets = 0

  /** `slotsMax`: `max.incremental.fetch.session.cache.slots`. `random`: 0 up to and without 1. */
  constructor(slotsMax: () => number, random: () => number) {
    this.#slotsMax = slotsMax
    this.#random = random
  }

  get count(): number {
    return this.#sessions.size
  }

  plan(request: SessionRequest, nowMs: number): SessionPlan {
    const { sessionId, sessionEpoch } = request
    if (sessionEpoch === FINAL_EPOCH || sessionEpoch === INITIAL_EPOCH) {
      this.#forget(this.#sessions.get(sessionId))
      const session = sessionEpoch === INITIAL_EPOCH ? this.#create(request, nowMs) : undefined
      const targets = session === undefined ? request.targets : [...session.targets.values()]
      return { kind: 'full', targets, session }
    }
    const session = this.#sessions.get(sessionId)
    if (session === undefined) {
      return { kind: 'refused', errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND }
    }
    if (session.usesTopicIds !== request.usesTopicIds) {
      return { kind: 'refused', errorCode: ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR }
    }
    if (session.epoch !== sessionEpoch) {
      return { kind: 'refused', errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH }
    }
    session.epoch = session.epoch === 0x7fffffff ? 1 : session.epoch + 1
    session.lastUsedMs = nowMs
    this.#forget(session)
    update(session, request)
    if (session.targets.size === 0) return { kind: 'full', targets: [], session: undefined }
    if (this.#targets + session.targets.size > SESSION_TARGETS_MAX) {
      return { kind: 'refused', errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND }
    }
    this.#keep(session)
    return { kind: 'incremental', targets: [...session.targets.values()], session }
  }

  #create(request: SessionRequest, nowMs: number): FetchSession | undefined {
    const { length } = request.targets
    if (length === 0 || !this.#hasRoom(length, nowMs)) return undefined
    let id = 0
    while (id === 0 || this.#sessions.has(id)) id = 1 + Math.floor(this.#random() * 0x7ffffffe)
    const session = new FetchSession(id, request.usesTopicIds, nowMs)
    // As in Kafka, what is forgotten says nothing to a session that knows nothing yet.
    update(session, { ...request, forgotten: [] })
    this.#keep(session)
    return session
  }

  #keep(session: FetchSession): void {
    this.#sessions.set(session.id, session)
    this.#targets += session.targets.size
  }

  #forget(session: FetchSession | undefined): void {
    if (session !== undefined && this.#sessions.delete(session.id)) {
      this.#targets -= session.targets.size
    }
  }

  #hasRoom(targets: number, nowMs: number): boolean {
    for (const oldest of this.#sessions.values()) {
      const isFull = this.#sessions.size >= this.#slotsMax()
      if (!isFull && this.#targets + targets <= SESSION_TARGETS_MAX) return true
      if (nowMs - oldest.lastUsedMs <= SESSION_EVICTION_MS) return false
      this.#forget(oldest)
    }
    return this.#slotsMax() > 0 && targets <= SESSION_TARGETS_MAX
  }
}

function update(session: FetchSession, request: SessionRequest): void {
  for (const target of request.targets) {
    const key = keyOf(target)
    const known = session.targets.get(key)
    if (known === undefined) {
      session.targets.set(key, target)
      continue
    }
    known.fetchOffset = target.fetchOffset
    known.maxBytes = target.maxBytes
    known.currentLeaderEpoch = target.currentLeaderEpoch
    known.lastFetchedEpoch = target.lastFetchedEpoch
  }
  for (const one of request.forgotten) session.targets.delete(keyOf(one))
}

function keyOf({ topic, partition }: { topic: string; partition: number }): string {
  return `${topic}/${partition}`
}
