/**
 * Share sessions: which partitions a member of a share group fetches from. It names only what
 * changes. Differs from fetch sessions: the member is the name of the session. KIP-932.
 */
import { ErrorCode } from '../../protocol/errors.ts'

/** Partitions that all sessions remember together; who asks for more gets no session. */
export const SHARE_SESSION_PARTITIONS_MAX = 100_000

const FINAL_EPOCH = -1
const INITIAL_EPOCH = 0

/** A partition of a session. */
export interface SessionPartition {
  readonly topicId: string
  readonly partition: number
}

/** A session. Partitions are in the order in which they came. */
export interface ShareSession {
  readonly groupId: string
  readonly memberId: string
  /** Names the connection that it was opened on. */
  readonly connection: string
  /** The one that the next request has to name. */
  epoch: number
  readonly partitions: Map<string, SessionPartition>
}

/** What a request says of its session. */
export interface SessionRequest {
  readonly groupId: string
  readonly memberId: string
  readonly epoch: number
}

/** The session of a request, or why it has none. */
export type SessionOutcome =
  | { readonly kind: 'refused'; readonly errorCode: ErrorCode }
  | { readonly kind: 'open'; readonly session: ShareSession }
  /** The request is the last one of its session. */
  | { readonly kind: 'final'; readonly session: ShareSession }

/** Lives on the coordinator's thread. */
export class ShareSessions {
  readonly #sessionsMax: () => number
  readonly #sessions = new Map<string, ShareSession>()
  #partitions = 0

  /** `sessionsMax`: `group.share.max.share.sessions`. */
  constructor(sessionsMax: () => number) {
    this.#sessionsMax = sessionsMax
  }

  get count(): number {
    return this.#sessions.size
  }

  get(groupId: string, memberId: string): ShareSession | undefined {
    return this.#sessions.get(nameOf(groupId, memberId))
  }

  /** The session of a ShareFetch. `acknowledges`: whether it says anything of records. */
  fetch(
    request: SessionRequest & { readonly connection: string; readonly acknowledges: boolean },
    added: readonly SessionPartition[],
    forgotten: readonly SessionPartition[],
  ): SessionOutcome {
    if (request.epoch === INITIAL_EPOCH) {
      if (request.acknowledges) return refused(ErrorCode.INVALID_REQUEST)
      return this.#open(request, added)
    }
    const outcome = this.#continue(request)
    if (outcome.kind === 'open') {
      const { partitions } = outcome.session
      this.#partitions -= partitions.size
      for (const one of added) partitions.set(partitionName(one), one)
      for (const one of forgotten) partitions.delete(partitionName(one))
      this.#partitions += partitions.size
      if (this.#partitions > SHARE_SESSION_PARTITIONS_MAX) {
        this.close(outcome.session)
        return refused(ErrorCode.SHARE_SESSION_LIMIT_REACHED)
      }
    }
    return outcome
  }

  /** The session of a ShareAcknowledge, which opens none. */
  acknowledge(request: SessionRequest): SessionOutcome {
    if (request.epoch === INITIAL_EPOCH) return refused(ErrorCode.INVALID_SHARE_SESSION_EPOCH)
    return this.#continue(request)
  }

  close(session: ShareSession): void {
    const name = nameOf(session.groupId, session.memberId)
    if (this.#sessions.get(name) !== session) return
    this.#sessions.delete(name)
    this.#partitions -= session.partitions.size
  }

  /** Closes those whose connection is gone; answers them. */
  closeWhere(gone: (connection: string) => boolean): ShareSession[] {
    const closed = [...this.#sessions.values()].filter(({ connection }) => gone(connection))
    for (const session of closed) this.close(session)
    return closed
  }

  #open(
    request: SessionRequest & { readonly connection: string },
    added: readonly SessionPartition[],
  ): SessionOutcome {
    const { groupId, memberId, connection } = request
    const known = this.get(groupId, memberId)
    if (known !== undefined) this.close(known)
    const partitions = new Map(added.map((one) => [partitionName(one), one]))
    const tooMany =
      this.#sessions.size >= this.#sessionsMax() ||
      this.#partitions + partitions.size > SHARE_SESSION_PARTITIONS_MAX
    if (tooMany) return refused(ErrorCode.SHARE_SESSION_LIMIT_REACHED)
    const session = { groupId, memberId, connection, epoch: 1, partitions }
    this.#sessions.set(nameOf(groupId, memberId), session)
    this.#partitions += partitions.size
    return { kind: 'open', session }
  }

  #continue({ groupId, memberId, epoch }: SessionRequest): SessionOutcome {
    const session = this.get(groupId, memberId)
    if (session === undefined) return refused(ErrorCode.SHARE_SESSION_NOT_FOUND)
    if (epoch === FINAL_EPOCH) return { kind: 'final', session }
    if (epoch !== session.epoch) return refused(ErrorCode.INVALID_SHARE_SESSION_EPOCH)
    session.epoch = epoch === 0x7fffffff ? 1 : epoch + 1
    return { kind: 'open', session }
  }
}

function refused(errorCode: ErrorCode): SessionOutcome {
  return { kind: 'refused', errorCode }
}

function nameOf(groupId: string, memberId: string): string {
  return `${memberId.length}:${memberId}${groupId}`
}

function partitionName({ topicId, partition }: SessionPartition): string {
  return `${topicId}/${partition}`
}
