/** Static members of consumer groups: an instance is one member under whatever id. KIP-345. */
import { ErrorCode } from '../../protocol/errors.ts'
import type { CoordinatorRecord } from '../runtime.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerMember } from './consumer-member.ts'
import {
  assignmentRecord,
  memberRecord,
  memberTombstones,
  targetRecord,
} from './consumer-records.ts'
import { type Refusal, refuse } from './consumer-refusal.ts'
import { targetFor } from './target.ts'

/** The records by which a static member goes on under another id. */
export function replacement(
  group: ConsumerGroup,
  known: ConsumerMember,
  member: ConsumerMember,
): CoordinatorRecord[] {
  const { groupId } = group
  return [
    ...memberTombstones(groupId, known.memberId),
    memberRecord(groupId, member),
    targetRecord(groupId, member.memberId, targetFor(group.targets, known.memberId)),
    assignmentRecord(groupId, member),
  ]
}

/** Why an instance is not who it says it is. */
export function instanceRefusal(
  known: ConsumerMember | undefined,
  { memberId, instanceId }: { memberId: string; instanceId: string },
): Refusal | undefined {
  if (known === undefined) {
    return refuse(ErrorCode.UNKNOWN_MEMBER_ID, `Instance id ${instanceId} is unknown.`)
  }
  if (known.memberId === memberId) return undefined
  return refuse(
    ErrorCode.FENCED_INSTANCE_ID,
    `Static member ${memberId} with instance id ${instanceId} was fenced by member ` +
      `${known.memberId}.`,
  )
}
