/**
 * A share group of KIP-932: its members, what each is to read, and which partitions have a state
 * with the share coordinator. It changes only by its records; share-replay.ts calls what is here.
 */
import { ErrorCode } from '../../protocol/errors.ts'
import type { CoordinatorRecord } from '../runtime.ts'
import { NO_TARGET, type TopicPartitions } from './consumer-partitions.ts'
import type { Group, GroupRegistry, OffsetExpiry } from './registry.ts'
import { shareGroupTombstones } from './share-records.ts'
import { NO_SHARE_TOPICS, type ShareTopics } from './share-topics.ts'

/** A member. Immutable: every change is another object. */
export interface ShareMember {
  readonly memberId: string
  /** 0: it has just joined. */
  readonly memberEpoch: number
  readonly previousMemberEpoch: number
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** Sorted, each once. */
  readonly subscribedTopicNames: readonly string[]
  readonly assigned: TopicPartitions
}

/** A member of which only the id is known. */
export function newShareMember(memberId: string): ShareMember {
  return {
    memberId,
    memberEpoch: 0,
    previousMemberEpoch: 0,
    rackId: null,
    clientId: '',
    clientHost: '',
    subscribedTopicNames: [],
    assigned: NO_TARGET,
  }
}

/** Lives on the coordinator's thread. */
export class ShareGroup implements Group {
  readonly kind = 'share'
  readonly groupId: string
  /** Rises when members, subscriptions, topics or initialized partitions change. */
  epoch = 1
  /** Of the topics that the members read, when the epoch last rose; see topicsHash. */
  metadataHash = 0
  /** The epoch for which the target was made. */
  targetEpoch = 1
  /** Wall milliseconds at which the target was made; 0: never. */
  targetTimestampMs = 0
  /** Which partitions have a state, get one or lose it. */
  topics: ShareTopics = NO_SHARE_TOPICS
  /** Not logged: the change count of the topics for which `metadataHash` was last compared. */
  topicsChecked = -1
  /** Not logged: `topics` when it was last held against the target. */
  targetChecked: ShareTopics | undefined
  readonly members = new Map<string, ShareMember>()
  readonly targets = new Map<string, TopicPartitions>()

  /** A group that is not in the registry: its records put it there. */
  constructor(groupId: string) {
    this.groupId = groupId
  }

  stateName(): 'Empty' | 'Stable' {
    return this.isEmpty() ? 'Empty' : 'Stable'
  }

  protocolType(): string {
    return 'share'
  }

  isEmpty(): boolean {
    return this.members.size === 0
  }

  isSubscribedTo(topic: string): boolean {
    for (const { subscribedTopicNames } of this.members.values()) {
      if (subscribedTopicNames.includes(topic)) return true
    }
    return false
  }

  /** Share groups have no committed offsets. */
  commitProblem(): ErrorCode {
    return ErrorCode.GROUP_ID_NOT_FOUND
  }

  fetchProblem(): ErrorCode {
    return ErrorCode.NONE
  }

  deleteProblem(): ErrorCode {
    return this.isEmpty() ? ErrorCode.NONE : ErrorCode.NON_EMPTY_GROUP
  }

  offsetDeleteProblem(): ErrorCode {
    return ErrorCode.GROUP_ID_NOT_FOUND
  }

  tombstones(): readonly CoordinatorRecord[] {
    return shareGroupTombstones(this.groupId, this.members.keys())
  }

  offsetExpiry(): OffsetExpiry {
    return { from: 'never' }
  }

  abandon(): void {
    // What is owed to a heartbeat is answered by whoever holds it.
  }
}

/** The share group with this id, if there is one. */
export function shareGroup(groups: GroupRegistry, groupId: string): ShareGroup | undefined {
  const group = groups.get(groupId)
  return group instanceof ShareGroup ? group : undefined
}
