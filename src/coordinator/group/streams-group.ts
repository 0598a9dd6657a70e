/**
 * A streams group of KIP-1071: its topology, its members, and what each is to run. It changes only
 * by its records; streams-replay.ts calls what is here.
 */
import { ErrorCode } from '../../protocol/errors.ts'
import type { CoordinatorRecord } from '../runtime.ts'
import type { Group, GroupRegistry, NamedTopic, OffsetClient, OffsetExpiry } from './registry.ts'
import { isReconciledTo, type StreamsMember } from './streams-member.ts'
import { streamsGroupTombstones } from './streams-records.ts'
import type { Tasks } from './streams-tasks.ts'
import type { ConfiguredTopology } from './streams-topics.ts'
import { readers, type StreamsTopology } from './streams-topology.ts'

/** States as StreamsGroupDescribe and ListGroups print them. */
export type StreamsGroupState = 'Empty' | 'NotReady' | 'Assigning' | 'Reconciling' | 'Stable'

/** Internal topics that are being created, or could not be. Not logged. */
export interface TopicCreation {
  readonly underWay: boolean
  /** Why topics could not be created, by their names. */
  readonly failures: ReadonlyMap<string, string>
  /** Wall milliseconds until which failures are told. */
  readonly toldUntilMs: number
}

/** Lives on the coordinator's thread. */
export class StreamsGroup implements Group {
  readonly kind = 'streams'
  readonly groupId: string
  /** Rises when members, topics or what assignments depend on change. */
  epoch = 1
  /** Of the topics that the topology needs, when the epoch last rose; see topicsHash. */
  metadataHash = 0
  /** The epoch of the topology for which all topics were there; -1: they were not. */
  validatedTopologyEpoch = 0
  /** What the last epoch was made with. */
  standbyReplicas: number | undefined
  /** The epoch for which the target was made. */
  targetEpoch = 1
  /** Wall milliseconds at which the target was made; 0: never. */
  targetTimestampMs = 0
  readonly members = new Map<string, StreamsMember>()
  readonly targets = new Map<string, Tasks>()
  /** Not logged: the topology with what the topics make of it. */
  configured: ConfiguredTopology | undefined
  /** Not logged: the change count of the topics for which `metadataHash` was last compared. */
  topicsChecked = -1
  /** Not logged: the member that wants the whole application to stop, while there are members. */
  shutdownMemberId: string | undefined
  /** Not logged: rises when a member with an endpoint gets other tasks. */
  endpointEpoch = 0
  /** Not logged. */
  creation: TopicCreation = { underWay: false, failures: new Map(), toldUntilMs: 0 }
  #topology: StreamsTopology | undefined
  #readers: ReadonlyMap<string, string> = new Map()

  /** A group that is not in the registry: its records put it there. */
  constructor(groupId: string) {
    this.groupId = groupId
  }

  /** undefined only before the first member's records are all there. */
  get topology(): StreamsTopology | undefined {
    return this.#topology
  }

  set topology(topology: StreamsTopology | undefined) {
    this.#topology = topology
    this.#readers = topology === undefined ? new Map() : readers(topology)
  }

  stateName(): StreamsGroupState {
    if (this.isEmpty()) return 'Empty'
    if (this.topology?.epoch !== this.validatedTopologyEpoch) return 'NotReady'
    if (this.epoch > this.targetEpoch) return 'Assigning'
    for (const member of this.members.values()) {
      if (!isReconciledTo(member, this.targetEpoch)) return 'Reconciling'
    }
    return 'Stable'
  }

  protocolType(): string {
    return 'streams'
  }

  isEmpty(): boolean {
    return this.members.size === 0
  }

  isSubscribedTo(topic: string): boolean {
    return !this.isEmpty() && this.#readers.has(topic)
  }

  commitProblem(client: OffsetClient): ErrorCode {
    const { memberId, generationOrEpoch: epoch, transactional } = client
    if (epoch < 0 && this.isEmpty()) return ErrorCode.NONE
    const anonymous = memberId === '' && client.groupInstanceId === null && epoch === -1
    if (transactional && anonymous) return ErrorCode.NONE
    const member = this.members.get(memberId)
    if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
    if (!transactional && client.apiVersion < 9) return ErrorCode.UNSUPPORTED_VERSION
    return epoch > member.memberEpoch ? ErrorCode.STALE_MEMBER_EPOCH : ErrorCode.NONE
  }

  /** An epoch that is behind may still commit for tasks that the member has had since then. */
  partitionCommitProblem(client: OffsetClient, topic: NamedTopic, partition: number): ErrorCode {
    const member = this.members.get(client.memberId)
    if (member === undefined || client.generationOrEpoch >= member.memberEpoch) {
      return ErrorCode.NONE
    }
    const subtopologyId = this.#readers.get(topic.name) ?? ''
    const since =
      member.assigned.active.get(subtopologyId)?.get(partition) ??
      member.pendingRevocation.active.get(subtopologyId)?.get(partition)
    const mayCommit = since !== undefined && client.generationOrEpoch >= since
    return mayCommit ? ErrorCode.NONE : ErrorCode.STALE_MEMBER_EPOCH
  }

  fetchProblem(memberId: string | null, memberEpoch: number): ErrorCode {
    if (memberId === null && memberEpoch < 0) return ErrorCode.NONE
    const member = memberId === null ? undefined : this.members.get(memberId)
    if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
    return memberEpoch === member.memberEpoch ? ErrorCode.NONE : ErrorCode.STALE_MEMBER_EPOCH
  }

  deleteProblem(): ErrorCode {
    return this.isEmpty() ? ErrorCode.NONE : ErrorCode.NON_EMPTY_GROUP
  }

  offsetDeleteProblem(): ErrorCode {
    return ErrorCode.NONE
  }

  tombstones(): readonly CoordinatorRecord[] {
    return streamsGroupTombstones(this.groupId, this.members.keys())
  }

  offsetExpiry(): OffsetExpiry {
    return { from: 'commit' }
  }

  abandon(): void {
    // No answer is ever owed: heartbeats are answered in their own turn.
  }
}

/** The streams group with this id, if there is one. */
export function streamsGroup(groups: GroupRegistry, groupId: string): StreamsGroup | undefined {
  const group = groups.get(groupId)
  return group instanceof StreamsGroup ? group : undefined
}
