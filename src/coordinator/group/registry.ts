/** The groups of a coordinator by id, with what every kind of group can be asked. */
import type { ErrorCode } from '../../protocol/errors.ts'
import type { CoordinatorRecord } from '../runtime.ts'

/** As ListGroups names them. */
export type GroupKind = 'classic' | 'consumer' | 'share' | 'streams'

/** Who commits or fetches offsets, as far as requests say it. */
export interface OffsetClient {
  readonly memberId: string
  readonly groupInstanceId: string | null
  /** Generation of a classic member, epoch of others; -1: nobody in particular. */
  readonly generationOrEpoch: number
  readonly apiVersion: number
  /** TxnOffsetCommit instead of OffsetCommit. */
  readonly transactional: boolean
}

/** A topic that exists. */
export interface NamedTopic {
  readonly id: string
  readonly name: string
}

/** From when on the retention of a group's offsets counts. */
export type OffsetExpiry =
  /** The offsets do not expire. */
  | { readonly from: 'never' }
  /** From the commit of each; of topics that members read never. */
  | { readonly from: 'commit' }
  /** From this time on (wall milliseconds): since then the group has had no members. */
  | { readonly from: 'state'; readonly sinceMs: number }

/** What the common operations ask of a group. All answers are of the present state. */
export interface Group {
  readonly kind: GroupKind
  readonly groupId: string
  /** 'Stable', 'Empty' and so on, as ListGroups prints it. */
  stateName(): string
  /** 'consumer', 'connect'; '' for a group that only holds offsets. */
  protocolType(): string
  isEmpty(): boolean
  /** Whether members that exist now read `topic`. */
  isSubscribedTo(topic: string): boolean
  /** Why this client may not commit. */
  commitProblem(client: OffsetClient): ErrorCode
  /** Why this client, which may commit in general, may not commit for one partition. KIP-1251. */
  partitionCommitProblem?(client: OffsetClient, topic: NamedTopic, partition: number): ErrorCode
  /** Why this client may not fetch committed offsets. */
  fetchProblem(memberId: string | null, memberEpoch: number): ErrorCode
  /** Why the group cannot be deleted. */
  deleteProblem(): ErrorCode
  /** Why offsets cannot be deleted one by one; of subscribed topics never. */
  offsetDeleteProblem(): ErrorCode
  /** Records that delete the group, without its offsets. */
  tombstones(): readonly CoordinatorRecord[]
  offsetExpiry(): OffsetExpiry
  /** The group is forgotten: answers that it owes are given with `errorCode`. */
  abandon(errorCode: ErrorCode): void
}

/** Lives on the coordinator's thread; bounded by what is in the topic. */
export class GroupRegistry {
  readonly #groups = new Map<string, Group>()

  get size(): number {
    return this.#groups.size
  }

  get(groupId: string): Group | undefined {
    return this.#groups.get(groupId)
  }

  /** Adds a group, or puts it in the place of the one with its id. */
  set(group: Group): void {
    this.#groups.set(group.groupId, group)
  }

  delete(groupId: string): void {
    this.#groups.delete(groupId)
  }

  /** In the order in which they came. A group may be deleted while this is walked. */
  all(): IterableIterator<Group> {
    return this.#groups.values()
  }
}

/**
 * The partition of `__consumer_offsets` that a group is kept in: Java's String.hashCode modulo the
 * number of partitions, which therefore must never change.
 */
export function partitionOfGroup(groupId: string, partitions: number): number {
  let hash = 0
  for (let i = 0; i < groupId.length; i++) hash = (Math.imul(hash, 31) + groupId.charCodeAt(i)) | 0
  // As Utils.abs: the lowest int, whose negation does not fit, counts as 0.
  return (hash === -0x80000000 ? 0 : Math.abs(hash)) % partitions
}
