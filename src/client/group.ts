/** What the two ways of being a member of a group have in common. */
import type { TopicPartition } from './topic-partition.ts'

/** What commits say of the member. */
export interface MemberIdentity {
  readonly memberId: string
  /** Generation of a classic group, epoch of a consumer group; -1: no member. */
  readonly generation: number
  readonly groupInstanceId: string | null
}

/** A member and its group, as a transaction that stores offsets names it. KIP-447. */
export interface ConsumerGroupMetadata extends MemberIdentity {
  readonly groupId: string
}

/** The identity of who is no member. */
export const NO_MEMBER: MemberIdentity = { memberId: '', generation: -1, groupInstanceId: null }

/** What a member asks of the consumer. The asynchronous calls happen inside of `step` only. */
export interface GroupHost {
  /** What the consumer has. */
  assigned(): TopicPartition[]
  /** Offsets are committed if that goes by itself. */
  beforeRevoke(): Promise<void>
  /** Tells the user, then takes the partitions away. */
  revoke(partitions: readonly TopicPartition[]): Promise<void>
  /** As `revoke`, but others may have them already. */
  lose(partitions: readonly TopicPartition[]): Promise<void>
  /** Adds the partitions, then tells the user. */
  assign(partitions: readonly TopicPartition[]): Promise<void>
  /** The topics that are subscribed to; for a pattern those that match by now. */
  topics(): readonly string[]
  /** An expression in RE2's syntax that the broker is to match. */
  readonly topicRegex: string | undefined
  /** There is something to do in `step`. */
  wake(): void
}

/** A member of a group. Heartbeats go on by themselves; partitions come and go in `step`, so that
 *  it never happens while the user works on a record. */
export interface GroupMember {
  /** Whether `step` has something to do. */
  readonly due: boolean
  readonly identity: MemberIdentity
  /** Called whenever the user asks for records. Throws what has ended the membership. */
  step(): Promise<void>
  /** The topics have changed. */
  onSubscription(): void
  /** Gives all up, since nobody asked for records in time. */
  onPollLate(): void
  /** Leaves the group, but for static members. Does not reject. */
  leave(): Promise<void>
}
