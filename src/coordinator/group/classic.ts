/**
 * The state of a classic group: members, generation, and the requests that wait for a rebalance.
 * Only what GroupMetadata records hold survives a restart. Source: Kafka's ClassicGroup.
 */
import { assert } from '../../base/assert.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { CoordinatorRecord, Reply } from '../runtime.ts'
import type { CoordinatorTimer } from '../timers.ts'
import { subscribedTopics } from './classic-subscription.ts'
import type { GroupAnswers } from './commands.ts'
import { groupTombstone } from './records.ts'
import type { Group, OffsetClient, OffsetExpiry } from './registry.ts'

/** The protocol type of Kafka's consumers. */
export const CONSUMER_PROTOCOL_TYPE = 'consumer'

export type ClassicState =
  | 'Empty'
  | 'PreparingRebalance'
  | 'CompletingRebalance'
  | 'Stable'
  | 'Dead'

export type JoinAnswer = GroupAnswers['join-group']
export type SyncAnswer = GroupAnswers['sync-group']

/** A way of assigning that a member knows, with what the member says in it. */
export interface MemberProtocol {
  readonly name: string
  readonly metadata: Buffer
}

/** One member; its bytes are its own. */
export interface ClassicMember {
  memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  rebalanceTimeoutMs: number
  sessionTimeoutMs: number
  protocols: readonly MemberProtocol[]
  assignment: Buffer
  /** Joined during the rebalance that is under way. */
  isNew: boolean
  awaitingJoin: Reply<JoinAnswer> | undefined
  awaitingSync: Reply<SyncAnswer> | undefined
  /** Of its session, once it has one: heartbeats are the most of all requests. */
  sessionTimer?: CoordinatorTimer | undefined
}

/** The name of a timer; ids may hold any character, so the length keeps them apart. */
export function timerKey(what: string, groupId: string, memberId = ''): string {
  return `${what}:${groupId.length}:${groupId}:${memberId}`
}

const NO_BYTES = Buffer.alloc(0)

export class ClassicGroup implements Group {
  readonly kind = 'classic'
  readonly groupId: string
  generationId = 0
  protocolName: string | null = null
  leaderId: string | null = null
  /** Wall milliseconds of the last change of `state`. */
  stateSinceMs: number
  /** In insertion order. */
  readonly members = new Map<string, ClassicMember>()
  /** Ids that were given out and have not joined yet. KIP-394. */
  readonly pendingJoins = new Set<string>()
  /** Members whose SyncGroup is missing in this generation. */
  readonly pendingSyncs = new Set<string>()
  /** Topics that the members read; undefined: cannot be known. */
  topics: ReadonlySet<string> | undefined = new Set()
  /** A member came during the initial delay. */
  newMemberAdded = false
  /** The rebalance under way began with an empty group. */
  initialRebalance = false
  #state: ClassicState = 'Empty'
  #protocolType: string | null = null
  readonly #byInstance = new Map<string, string>()

  constructor(groupId: string, nowMs: number) {
    this.groupId = groupId
    this.stateSinceMs = nowMs
  }

  get state(): ClassicState {
    return this.#state
  }

  transitionTo(state: ClassicState, nowMs: number): void {
    assert(canFollow(this.#state, state), `${state} does not follow ${this.#state}`)
    this.#state = state
    this.stateSinceMs = nowMs
  }

  /** For replay: the state as it was recorded. */
  restore(parts: {
    state: ClassicState
    protocolType: string | null
    generationId: number
    protocolName: string | null
    leaderId: string | null
    stateSinceMs: number
    members: readonly ClassicMember[]
  }): void {
    this.#state = parts.state
    this.stateSinceMs = parts.stateSinceMs
    this.#protocolType = parts.protocolType
    this.generationId = parts.generationId
    this.protocolName = parts.protocolName
    for (const member of parts.members) this.#put(member)
    this.leaderId = parts.leaderId
    this.topics = this.computeTopics()
  }

  /** '' or null: the group only holds offsets, or has never had a member. */
  get type(): string | null {
    return this.#protocolType
  }

  stateName(): string {
    return this.#state
  }

  protocolType(): string {
    return this.#protocolType ?? ''
  }

  isEmpty(): boolean {
    return this.#state === 'Empty'
  }

  isSubscribedTo(topic: string): boolean {
    return this.topics?.has(topic) ?? this.#protocolType === CONSUMER_PROTOCOL_TYPE
  }

  staticMemberId(groupInstanceId: string): string | undefined {
    return this.#byInstance.get(groupInstanceId)
  }

  /** Whether a member with these protocols could take part. */
  supports(protocolType: string, protocols: readonly { name: string }[]): boolean {
    if (this.#state === 'Empty') return protocolType !== '' && protocols.length > 0
    if (protocolType !== this.#protocolType) return false
    return protocols.some(({ name }) => this.#supportedByAll(name))
  }

  add(member: ClassicMember, protocolType: string): void {
    if (this.members.size === 0) this.#protocolType = protocolType
    this.#put(member)
    this.leaderId ??= member.memberId
    this.pendingJoins.delete(member.memberId)
  }

  /** Removes a member, or an id that was only given out. */
  remove(memberId: string): void {
    this.pendingJoins.delete(memberId)
    this.pendingSyncs.delete(memberId)
    const member = this.members.get(memberId)
    if (member === undefined) return
    this.members.delete(memberId)
    if (member.groupInstanceId !== null) this.#byInstance.delete(member.groupInstanceId)
    if (this.leaderId === memberId) this.leaderId = this.members.keys().next().value ?? null
  }

  /** A static member came back: it goes on under a new id. KIP-345. */
  replaceStaticMember(oldId: string, newId: string): ClassicMember {
    const member = this.members.get(oldId)
    assert(member?.groupInstanceId, 'only a static member is replaced')
    this.members.delete(oldId)
    this.pendingSyncs.delete(oldId)
    member.memberId = newId
    member.sessionTimer = undefined
    this.#put(member)
    if (this.leaderId === oldId) this.leaderId = newId
    return member
  }

  /** Why a request of this member is refused; NONE for a member. */
  memberProblem(memberId: string, groupInstanceId: string | null): ErrorCode {
    if (groupInstanceId !== null) {
      const current = this.#byInstance.get(groupInstanceId)
      if (current === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
      if (current !== memberId) return ErrorCode.FENCED_INSTANCE_ID
    }
    return this.members.has(memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID
  }

  /** The longest rebalance timeout of the members, milliseconds. */
  rebalanceTimeoutMs(): number {
    let max = 0
    for (const member of this.members.values()) max = Math.max(max, member.rebalanceTimeoutMs)
    return max
  }

  joinedCount(): number {
    let count = 0
    for (const member of this.members.values()) if (member.awaitingJoin !== undefined) count++
    return count
  }

  hasAllMembersJoined(): boolean {
    return this.pendingJoins.size === 0 && this.joinedCount() === this.members.size
  }

  /** Makes sure that the leader is one who joined; false: nobody did. */
  electLeader(): boolean {
    if (this.leaderId !== null && this.members.get(this.leaderId)?.awaitingJoin) return true
    for (const member of this.members.values()) {
      if (member.awaitingJoin === undefined) continue
      this.leaderId = member.memberId
      return true
    }
    return false
  }

  /** The protocol that most members want most, of those that all know; the first one of a tie. */
  selectProtocol(): string {
    const votes = new Map<string, number>()
    for (const member of this.members.values()) {
      const vote = member.protocols.find(({ name }) => this.#supportedByAll(name))
      if (vote !== undefined) votes.set(vote.name, (votes.get(vote.name) ?? 0) + 1)
    }
    let best = ''
    let most = 0
    for (const [name, count] of votes) {
      if (count <= most) continue
      best = name
      most = count
    }
    assert(most > 0, 'a member joins only with a protocol that all know')
    return best
  }

  /** The next generation, of those who joined: CompletingRebalance, or Empty without members. */
  beginGeneration(nowMs: number): void {
    this.generationId++
    this.pendingSyncs.clear()
    if (this.members.size > 0) {
      this.protocolName = this.selectProtocol()
      this.topics = this.computeTopics()
      this.transitionTo('CompletingRebalance', nowMs)
    } else {
      this.protocolName = null
      this.leaderId = null
      this.topics = new Set()
      this.transitionTo('Empty', nowMs)
    }
  }

  /** What a member says in the protocol that was chosen. */
  metadataOf(member: ClassicMember): Buffer {
    return member.protocols.find(({ name }) => name === this.protocolName)?.metadata ?? NO_BYTES
  }

  computeTopics(): ReadonlySet<string> | undefined {
    if (this.members.size === 0) return new Set()
    if (this.#protocolType !== CONSUMER_PROTOCOL_TYPE || this.protocolName === null) {
      return undefined
    }
    return subscribedTopics([...this.members.values()].map((member) => this.metadataOf(member)))
  }

  commitProblem(client: OffsetClient): ErrorCode {
    const { memberId, groupInstanceId, generationOrEpoch, transactional } = client
    if (this.#state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
    if (generationOrEpoch < 0 && this.#state === 'Empty') return ErrorCode.NONE
    if (generationOrEpoch >= 0 || memberId !== '' || groupInstanceId !== null) {
      const problem = this.memberProblem(memberId, groupInstanceId)
      if (problem !== ErrorCode.NONE) return problem
      if (generationOrEpoch !== this.generationId) return ErrorCode.ILLEGAL_GENERATION
    } else if (!transactional) {
      return ErrorCode.UNKNOWN_MEMBER_ID
    }
    if (!transactional && this.#state === 'CompletingRebalance') {
      return ErrorCode.REBALANCE_IN_PROGRESS
    }
    return ErrorCode.NONE
  }

  fetchProblem(): ErrorCode {
    return ErrorCode.NONE
  }

  deleteProblem(): ErrorCode {
    if (this.#state === 'Dead') return ErrorCode.GROUP_ID_NOT_FOUND
    return this.#state === 'Empty' ? ErrorCode.NONE : ErrorCode.NON_EMPTY_GROUP
  }

  offsetDeleteProblem(): ErrorCode {
    const byTopic = this.#protocolType === CONSUMER_PROTOCOL_TYPE
    return byTopic ? ErrorCode.NONE : this.deleteProblem()
  }

  tombstones(): readonly CoordinatorRecord[] {
    return [groupTombstone(this.groupId)]
  }

  offsetExpiry(): OffsetExpiry {
    if (this.#protocolType === null) return { from: 'commit' }
    if (this.#state === 'Empty') return { from: 'state', sinceMs: this.stateSinceMs }
    const knowsTopics = this.#protocolType === CONSUMER_PROTOCOL_TYPE && this.topics !== undefined
    return this.#state === 'Stable' && knowsTopics ? { from: 'commit' } : { from: 'never' }
  }

  abandon(errorCode: ErrorCode): void {
    this.#state = 'Dead'
    for (const member of this.members.values()) {
      const { memberId, awaitingJoin, awaitingSync } = member
      member.awaitingJoin = undefined
      member.awaitingSync = undefined
      awaitingJoin?.({ errorCode, memberId, generationId: -1, protocolName: null })
      awaitingSync?.({ errorCode })
    }
  }

  #put(member: ClassicMember): void {
    this.members.set(member.memberId, member)
    if (member.groupInstanceId !== null) {
      this.#byInstance.set(member.groupInstanceId, member.memberId)
    }
  }

  #supportedByAll(name: string): boolean {
    for (const { protocols } of this.members.values()) {
      if (!protocols.some((one) => one.name === name)) return false
    }
    return true
  }
}

function canFollow(from: ClassicState, to: ClassicState): boolean {
  switch (to) {
    case 'Empty':
      return from === 'PreparingRebalance'
    case 'PreparingRebalance':
      return from === 'Stable' || from === 'CompletingRebalance' || from === 'Empty'
    case 'CompletingRebalance':
      return from === 'PreparingRebalance'
    case 'Stable':
      return from === 'CompletingRebalance'
    default:
      return true
  }
}
