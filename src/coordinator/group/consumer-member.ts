/** A member of a consumer group, as its records hold it. KIP-848. */
import { NO_PARTITIONS, type PartitionEpochs, sameEpochs } from './consumer-partitions.ts'

/** How far a member is with its target, as records number it. */
export const MemberState = {
  /** It has all that its epoch gives it. */
  STABLE: 0,
  /** It has to give up partitions before its epoch moves on. */
  UNREVOKED_PARTITIONS: 1,
  /** It waits for partitions that others still have. */
  UNRELEASED_PARTITIONS: 2,
} as const

/** A protocol of the classic group protocol: an assignor of the client and its subscription. */
export interface ClassicProtocol {
  readonly name: string
  /** The embedded ConsumerProtocolSubscription. */
  readonly metadata: Buffer
}

/** What is known of a member that speaks the classic protocol. */
export interface ClassicMembership {
  readonly sessionTimeoutMs: number
  readonly supportedProtocols: readonly ClassicProtocol[]
}

/** A member. Immutable: every change is another object. */
export interface ConsumerMember {
  readonly memberId: string
  /** 0: it has just joined; -2: a static member that is away. */
  readonly memberEpoch: number
  readonly previousMemberEpoch: number
  readonly instanceId: string | null
  readonly rackId: string | null
  /** -1: not told. */
  readonly rebalanceTimeoutMs: number
  readonly clientId: string
  readonly clientHost: string
  /** Sorted, each once. */
  readonly subscribedTopicNames: readonly string[]
  /** '': none. */
  readonly subscribedTopicRegex: string
  readonly serverAssignor: string | null
  /** A MemberState, or what a later release may have written. */
  readonly state: number
  readonly assigned: PartitionEpochs
  readonly pendingRevocation: PartitionEpochs
  /** null: it speaks the consumer protocol. */
  readonly classic: ClassicMembership | null
}

/** The epoch with which a static member goes for a while. */
export const LEFT_FOR_A_WHILE = -2

/** A member of which only the id is known. */
export function newMember(memberId: string): ConsumerMember {
  return {
    memberId,
    memberEpoch: 0,
    previousMemberEpoch: 0,
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: -1,
    clientId: '',
    clientHost: '',
    subscribedTopicNames: [],
    subscribedTopicRegex: '',
    serverAssignor: null,
    state: MemberState.STABLE,
    assigned: NO_PARTITIONS,
    pendingRevocation: NO_PARTITIONS,
    classic: null,
  }
}

/** The regular expression that the member subscribes to, if any. */
export function regexOf(member: ConsumerMember | undefined): string | undefined {
  return member?.subscribedTopicRegex || undefined
}

/** Topic names as a member holds them. */
export function topicNames(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort()
}

/** Whether the record of the member's subscription would be the same. */
export function sameSubscription(a: ConsumerMember, b: ConsumerMember): boolean {
  return (
    a.memberId === b.memberId &&
    a.instanceId === b.instanceId &&
    a.rackId === b.rackId &&
    a.rebalanceTimeoutMs === b.rebalanceTimeoutMs &&
    a.clientId === b.clientId &&
    a.clientHost === b.clientHost &&
    sameNames(a.subscribedTopicNames, b.subscribedTopicNames) &&
    a.subscribedTopicRegex === b.subscribedTopicRegex &&
    a.serverAssignor === b.serverAssignor &&
    sameClassic(a.classic, b.classic)
  )
}

/** Whether the record of the member's current assignment would be the same. */
export function sameAssignment(a: ConsumerMember, b: ConsumerMember): boolean {
  return (
    a.memberEpoch === b.memberEpoch &&
    a.previousMemberEpoch === b.previousMemberEpoch &&
    a.state === b.state &&
    sameEpochs(a.assigned, b.assigned) &&
    sameEpochs(a.pendingRevocation, b.pendingRevocation)
  )
}

/** Whether two sorted lists of names are equal. */
export function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((name, i) => name === b[i]))
}

/** Whether nothing is left to do until the target of `epoch` changes. */
export function isReconciledTo(member: ConsumerMember, epoch: number): boolean {
  return member.state === MemberState.STABLE && member.memberEpoch === epoch
}

function sameClassic(a: ClassicMembership | null, b: ClassicMembership | null): boolean {
  if (a === null || b === null) return a === b
  return (
    a.sessionTimeoutMs === b.sessionTimeoutMs &&
    a.supportedProtocols.length === b.supportedProtocols.length &&
    a.supportedProtocols.every(({ name, metadata }, i) => {
      const other = b.supportedProtocols[i]!
      return name === other.name && metadata.equals(other.metadata)
    })
  )
}
