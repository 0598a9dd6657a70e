/**
 * A consumer group of KIP-848: members, the target assignment, and what follows from both. It
 * changes only by its records; consumer-replay.ts calls what is here.
 */
import { ErrorCode } from '../../protocol/errors.ts'
import type { CoordinatorRecord } from '../runtime.ts'
import { type ConsumerMember, isReconciledTo, MemberState, regexOf } from './consumer-member.ts'
import type { PartitionEpochs, TopicPartitions } from './consumer-partitions.ts'
import { groupTombstones, type ResolvedRegex } from './consumer-records.ts'
import type { Group, GroupRegistry, NamedTopic, OffsetClient, OffsetExpiry } from './registry.ts'

/** States as ConsumerGroupDescribe and ListGroups print them. */
export type ConsumerGroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable'

/** Lives on the coordinator's thread. */
export class ConsumerGroup implements Group {
  readonly kind = 'consumer'
  readonly groupId: string
  /** Rises when members, subscriptions or topics change. */
  epoch = 1
  /** Of the topics that the members read, when the epoch last rose; see topicsHash. */
  metadataHash = 0
  /** The epoch for which the target was made. */
  targetEpoch = 1
  /** Wall milliseconds at which the target was made; 0: never. */
  targetTimestampMs = 0
  /** Whether the log holds partition metadata of a broker before 4.1. */
  hasOlderMetadata = false
  /** Not logged: the change count of the topics for which `metadataHash` was last compared. */
  topicsChecked = -1
  /** Not logged: wall milliseconds at which all regular expressions were last resolved. */
  regexesResolvedMs = 0
  /** Not logged: the change count of the topics that were then looked at. */
  regexesChecked = -1
  readonly #members = new Map<string, ConsumerMember>()
  readonly #staticMembers = new Map<string, string>()
  readonly #targets = new Map<string, TopicPartitions>()
  readonly #regexes = new Map<string, ResolvedRegex>()
  readonly #names = new Counts()
  readonly #regexMembers = new Counts()
  readonly #assignors = new Counts()
  readonly #classicProtocols = new Counts()
  /** Who has a partition, or has yet to give it up, by topic id and partition. */
  readonly #owners = new Map<string, Map<number, string>>()
  #classicMembers = 0

  /** A group that is not in the registry: its records put it there. */
  constructor(groupId: string) {
    this.groupId = groupId
  }

  get members(): ReadonlyMap<string, ConsumerMember> {
    return this.#members
  }

  get targets(): ReadonlyMap<string, TopicPartitions> {
    return this.#targets
  }

  /** The resolved regular expressions. */
  get regexes(): ReadonlyMap<string, ResolvedRegex> {
    return this.#regexes
  }

  /** By topic name: how many members subscribe to it by name. */
  get nameMembers(): ReadonlyMap<string, number> {
    return this.#names.counts
  }

  /** By regular expression: how many members subscribe with it. */
  get regexMembers(): ReadonlyMap<string, number> {
    return this.#regexMembers.counts
  }

  /** By assignor: how many members ask for it. */
  get assignorMembers(): ReadonlyMap<string, number> {
    return this.#assignors.counts
  }

  /** How many members speak the classic protocol. */
  get classicMembers(): number {
    return this.#classicMembers
  }

  /** The member with this instance id. */
  staticMember(instanceId: string | null): ConsumerMember | undefined {
    const memberId = instanceId === null ? undefined : this.#staticMembers.get(instanceId)
    return memberId === undefined ? undefined : this.#members.get(memberId)
  }

  /** Whether any member has the partition, or has yet to give it up. */
  isOwned(topicId: string, partition: number): boolean {
    return this.#owners.get(topicId)?.has(partition) ?? false
  }

  /** Whether all classic members, if there are any, support one of these protocols. */
  supportsClassic(protocols: readonly string[]): boolean {
    if (this.#members.size === 0) return protocols.length > 0
    return protocols.some((name) => this.#classicProtocols.of(name) === this.#classicMembers)
  }

  /** Whether others still have partitions that the member waits for. */
  waitsForOthers(member: ConsumerMember): boolean {
    if (member.state !== MemberState.UNRELEASED_PARTITIONS) return false
    for (const [topicId, partitions] of this.#targets.get(member.memberId) ?? []) {
      const assigned = member.assigned.get(topicId)
      if (partitions.some((one) => !assigned?.has(one) && this.isOwned(topicId, one))) return true
    }
    return false
  }

  // What replay calls.

  /** Puts a member in, or in the place of the one with its id. */
  updateMember(member: ConsumerMember): void {
    const previous = this.#members.get(member.memberId)
    if (previous !== undefined) this.#count(previous, -1)
    this.#members.set(member.memberId, member)
    this.#count(member, 1)
    if (member.instanceId !== null) this.#staticMembers.set(member.instanceId, member.memberId)
    if (previous !== undefined) {
      this.#release(previous, previous.assigned)
      this.#release(previous, previous.pendingRevocation)
    }
    this.#own(member, member.assigned)
    this.#own(member, member.pendingRevocation)
  }

  removeMember(memberId: string): void {
    const previous = this.#members.get(memberId)
    if (previous === undefined) return
    this.#members.delete(memberId)
    this.#count(previous, -1)
    this.#release(previous, previous.assigned)
    this.#release(previous, previous.pendingRevocation)
    const { instanceId } = previous
    if (instanceId !== null && this.#staticMembers.get(instanceId) === memberId) {
      this.#staticMembers.delete(instanceId)
    }
  }

  updateTarget(memberId: string, target: TopicPartitions): void {
    this.#targets.set(memberId, target)
  }

  removeTarget(memberId: string): void {
    this.#targets.delete(memberId)
  }

  /** `undefined` takes the expression away. */
  updateRegex(regex: string, resolved: ResolvedRegex | undefined): void {
    if (resolved === undefined) this.#regexes.delete(regex)
    else this.#regexes.set(regex, resolved)
  }

  #count(member: ConsumerMember, by: 1 | -1): void {
    for (const name of member.subscribedTopicNames) this.#names.add(name, by)
    const regex = regexOf(member)
    if (regex !== undefined) this.#regexMembers.add(regex, by)
    if (member.serverAssignor !== null) this.#assignors.add(member.serverAssignor, by)
    if (member.classic === null) return
    this.#classicMembers += by
    for (const { name } of member.classic.supportedProtocols) this.#classicProtocols.add(name, by)
  }

  #own({ memberId }: ConsumerMember, partitions: PartitionEpochs): void {
    for (const [topicId, epochs] of partitions) {
      const owners = this.#owners.get(topicId) ?? new Map<number, string>()
      this.#owners.set(topicId, owners)
      for (const partition of epochs.keys()) owners.set(partition, memberId)
    }
  }

  #release({ memberId }: ConsumerMember, partitions: PartitionEpochs): void {
    for (const [topicId, epochs] of partitions) {
      const owners = this.#owners.get(topicId)
      if (owners === undefined) continue
      // A compacted log can hold the new owner's record before the old one's.
      for (const partition of epochs.keys()) {
        if (owners.get(partition) === memberId) owners.delete(partition)
      }
      if (owners.size === 0) this.#owners.delete(topicId)
    }
  }

  // What all groups are asked.

  stateName(): ConsumerGroupState {
    if (this.#members.size === 0) return 'Empty'
    if (this.epoch > this.targetEpoch) return 'Assigning'
    for (const member of this.#members.values()) {
      if (!isReconciledTo(member, this.targetEpoch)) return 'Reconciling'
    }
    return 'Stable'
  }

  protocolType(): string {
    return 'consumer'
  }

  isEmpty(): boolean {
    return this.#members.size === 0
  }

  isSubscribedTo(topic: string): boolean {
    if (this.#names.of(topic) > 0) return true
    for (const { topics } of this.#regexes.values()) if (topics.includes(topic)) return true
    return false
  }

  commitProblem(client: OffsetClient): ErrorCode {
    const { memberId, generationOrEpoch: epoch, transactional } = client
    if (epoch < 0 && this.isEmpty()) return ErrorCode.NONE
    const anonymous = memberId === '' && client.groupInstanceId === null && epoch === -1
    if (transactional && anonymous) return ErrorCode.NONE
    const member = this.#members.get(memberId)
    if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
    if (!transactional && member.classic === null && client.apiVersion < 9) {
      return ErrorCode.UNSUPPORTED_VERSION
    }
    return epoch > member.memberEpoch ? wrongEpoch(member) : ErrorCode.NONE
  }

  /**
   * An epoch that is behind may still commit what the member has had since then (KIP-1251): the
   * answer with its newer epoch may be under way.
   */
  partitionCommitProblem(client: OffsetClient, topic: NamedTopic, partition: number): ErrorCode {
    const member = this.#members.get(client.memberId)
    if (member === undefined || client.generationOrEpoch >= member.memberEpoch) {
      return ErrorCode.NONE
    }
    const since =
      member.assigned.get(topic.id)?.get(partition) ??
      member.pendingRevocation.get(topic.id)?.get(partition)
    if (since === undefined || client.generationOrEpoch < since) return wrongEpoch(member)
    return ErrorCode.NONE
  }

  fetchProblem(memberId: string | null, memberEpoch: number): ErrorCode {
    if (memberId === null && memberEpoch < 0) return ErrorCode.NONE
    const member = memberId === null ? undefined : this.#members.get(memberId)
    if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
    return memberEpoch === member.memberEpoch ? ErrorCode.NONE : wrongEpoch(member)
  }

  deleteProblem(): ErrorCode {
    return this.isEmpty() ? ErrorCode.NONE : ErrorCode.NON_EMPTY_GROUP
  }

  offsetDeleteProblem(): ErrorCode {
    return ErrorCode.NONE
  }

  tombstones(): readonly CoordinatorRecord[] {
    return groupTombstones({
      groupId: this.groupId,
      memberIds: this.#members.keys(),
      regexes: this.#regexes.keys(),
      olderMetadata: this.hasOlderMetadata,
    })
  }

  offsetExpiry(): OffsetExpiry {
    return { from: 'commit' }
  }

  abandon(): void {
    // No answer is ever owed: heartbeats are answered in their own turn.
  }
}

/** The consumer group with this id, if there is one. */
export function consumerGroup(groups: GroupRegistry, groupId: string): ConsumerGroup | undefined {
  const group = groups.get(groupId)
  return group instanceof ConsumerGroup ? group : undefined
}

/** Names of the topics that a member reads, sorted, also of such that do not exist. */
export function topicNamesOf(
  member: ConsumerMember,
  regexes: ReadonlyMap<string, ResolvedRegex>,
): readonly string[] {
  const regex = regexOf(member)
  const byRegex = regex === undefined ? undefined : regexes.get(regex)?.topics
  if (byRegex === undefined) return member.subscribedTopicNames
  if (member.subscribedTopicNames.length === 0) return byRegex
  return [...new Set([...member.subscribedTopicNames, ...byRegex])].sort()
}

function wrongEpoch({ classic }: ConsumerMember): ErrorCode {
  return classic === null ? ErrorCode.STALE_MEMBER_EPOCH : ErrorCode.ILLEGAL_GENERATION
}

/** How often a text occurs. */
class Counts {
  readonly counts = new Map<string, number>()

  of(text: string): number {
    return this.counts.get(text) ?? 0
  }

  add(text: string, by: number): void {
    const count = this.of(text) + by
    if (count <= 0) this.counts.delete(text)
    else this.counts.set(text, count)
  }
}
