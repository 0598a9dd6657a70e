/** A member of a streams group, as its records hold it. KIP-1071. */
import { type AssignedTasks, NOTHING_ASSIGNED, sameAssigned } from './streams-tasks.ts'

/** How far a member is with its target, as records number it. */
export const StreamsMemberState = {
  /** It has all that its epoch gives it. */
  STABLE: 1,
  /** It has to give up tasks before its epoch moves on. */
  UNREVOKED_TASKS: 2,
  /** It waits for tasks that others still have. */
  UNRELEASED_TASKS: 3,
} as const

/** Where the interactive queries of a member are answered. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** A member. Immutable: every change is another object. */
export interface StreamsMember {
  readonly memberId: string
  /** 0: it has just joined. */
  readonly memberEpoch: number
  readonly previousMemberEpoch: number
  /** Kafka has no static members of streams groups yet; kept for records that name one. */
  readonly instanceId: string | null
  readonly rackId: string | null
  /** -1: not told. */
  readonly rebalanceTimeoutMs: number
  readonly clientId: string
  readonly clientHost: string
  /** Of the topology that it runs; -1: not told. */
  readonly topologyEpoch: number
  /** Members of one process share its state directory, and so no task of it in two roles. */
  readonly processId: string
  readonly userEndpoint: Endpoint | null
  /** In the order of keys. */
  readonly clientTags: readonly { readonly key: string; readonly value: string }[]
  /** A StreamsMemberState, or what a later release may have written. */
  readonly state: number
  readonly assigned: AssignedTasks
  readonly pendingRevocation: AssignedTasks
}

/** A member of which only the id is known. */
export function newStreamsMember(memberId: string): StreamsMember {
  return {
    memberId,
    memberEpoch: 0,
    previousMemberEpoch: 0,
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: -1,
    clientId: '',
    clientHost: '',
    topologyEpoch: -1,
    processId: '',
    userEndpoint: null,
    clientTags: [],
    state: StreamsMemberState.STABLE,
    assigned: NOTHING_ASSIGNED,
    pendingRevocation: NOTHING_ASSIGNED,
  }
}

/** Whether nothing is left to do until the target of `epoch` changes. */
export function isReconciledTo(member: StreamsMember, epoch: number): boolean {
  return member.state === StreamsMemberState.STABLE && member.memberEpoch === epoch
}

/** Whether the record of what the member told about itself would be the same. */
export function saysTheSame(a: StreamsMember, b: StreamsMember): boolean {
  if (a === b) return true
  return (
    a.rackId === b.rackId &&
    a.rebalanceTimeoutMs === b.rebalanceTimeoutMs &&
    a.clientId === b.clientId &&
    a.clientHost === b.clientHost &&
    a.topologyEpoch === b.topologyEpoch &&
    a.processId === b.processId &&
    a.userEndpoint?.host === b.userEndpoint?.host &&
    a.userEndpoint?.port === b.userEndpoint?.port &&
    sameTags(a.clientTags, b.clientTags)
  )
}

/** Whether the record of what the member has would be the same. */
export function hasTheSame(a: StreamsMember, b: StreamsMember): boolean {
  return (
    a.memberEpoch === b.memberEpoch &&
    a.previousMemberEpoch === b.previousMemberEpoch &&
    a.state === b.state &&
    sameAssigned(a.assigned, b.assigned) &&
    sameAssigned(a.pendingRevocation, b.pendingRevocation)
  )
}

/** Tags as a member holds them: each key once, the last one counts. */
export function tagsOf(tags: StreamsMember['clientTags']): StreamsMember['clientTags'] {
  const byKey = new Map(tags.map(({ key, value }) => [key, value]))
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => ({ key, value }))
}

function sameTags(a: StreamsMember['clientTags'], b: StreamsMember['clientTags']): boolean {
  return (
    a.length === b.length &&
    a.every(({ key, value }, i) => key === b[i]!.key && value === b[i]!.value)
  )
}
