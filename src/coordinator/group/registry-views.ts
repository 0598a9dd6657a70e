/** DescribeGroups, ListGroups and DeleteGroups, of one group or one filter. */
import { ErrorCode } from '../../protocol/errors.ts'
import type { Turn } from '../runtime.ts'
import { ClassicGroup, type ClassicMember } from './classic.ts'
import type { CommandOf, GroupAnswers } from './commands.ts'
import type { GroupCoordinator } from './coordinator.ts'
import { offsetTombstone } from './records.ts'

/** From this version on an unknown group is an error. KIP-1043. */
const GROUP_NOT_FOUND_FROM = 6

const NO_BYTES = Buffer.alloc(0)

type Description = NonNullable<GroupAnswers['describe-groups']['groups']>[number]
type ListCommand = CommandOf<'list-groups'>
type Listed = NonNullable<GroupAnswers['list-groups']['groups']>[number]

/** A classic group; groups of other kinds are as good as unknown here. */
export function describeGroup(
  coordinator: GroupCoordinator,
  groupId: string,
  apiVersion: number,
): Description {
  const group = coordinator.groups.get(groupId)
  if (group === undefined)
    return describedAsDead(groupId, apiVersion, `Group ${groupId} not found.`)
  if (!(group instanceof ClassicGroup)) {
    return describedAsDead(groupId, apiVersion, `Group ${groupId} is not a classic group.`)
  }
  const stable = group.state === 'Stable'
  return {
    errorCode: ErrorCode.NONE,
    groupId,
    groupState: group.state,
    protocolType: group.protocolType(),
    protocolData: stable ? (group.protocolName ?? '') : '',
    members: [...group.members.values()].map((member) => describeMember(group, member, stable)),
  }
}

/** A group that cannot be described now. */
export function describeFailure(groupId: string, errorCode: ErrorCode): Description {
  return { groupId, errorCode, groupState: '' }
}

/** Groups that match the filters; names that nobody knows match nothing. */
export function listGroups({ groups }: GroupCoordinator, { request }: ListCommand): Listed[] {
  const states = new Set(request.statesFilter.map((name) => name.toLowerCase()))
  const types = new Set(request.typesFilter.map((name) => name.toLowerCase()))
  const listed: Listed[] = []
  for (const group of groups.all()) {
    if (types.size > 0 && !types.has(group.kind)) continue
    const groupState = group.stateName()
    if (states.size > 0 && !states.has(groupState.toLowerCase())) continue
    const { groupId, kind } = group
    const protocolType = group.protocolType()
    listed.push({ groupId, protocolType, groupState, groupType: kind })
  }
  return listed
}

/** Deletes a group with all its offsets, or answers why it cannot be. */
export function deleteGroup(coordinator: GroupCoordinator, turn: Turn, groupId: string): ErrorCode {
  const group = coordinator.groups.get(groupId)
  const problem = group?.deleteProblem() ?? ErrorCode.GROUP_ID_NOT_FOUND
  if (group === undefined || problem !== ErrorCode.NONE) return problem
  const { offsets } = coordinator
  for (const [topic, partitions] of offsets.ofGroup(groupId) ?? []) {
    for (const partition of partitions.keys()) {
      turn.change(offsetTombstone({ group: groupId, topic, partition }))
    }
  }
  for (const key of offsets.pendingOf(groupId)) {
    if (offsets.get(groupId, key.topic, key.partition) === undefined) {
      turn.change(offsetTombstone(key))
    }
  }
  for (const record of group.tombstones()) turn.change(record)
  return ErrorCode.NONE
}

function describedAsDead(groupId: string, apiVersion: number, message: string): Description {
  const named = apiVersion >= GROUP_NOT_FOUND_FROM
  return {
    groupId,
    groupState: 'Dead',
    errorCode: named ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.NONE,
    errorMessage: named ? message : null,
  }
}

/** What members say is told of a stable group only; what they got last always. */
function describeMember(group: ClassicGroup, member: ClassicMember, stable: boolean) {
  const { memberId, groupInstanceId, clientId, clientHost } = member
  return {
    memberId,
    groupInstanceId,
    clientId,
    clientHost,
    memberMetadata: stable ? group.metadataOf(member) : NO_BYTES,
    memberAssignment: member.assignment,
  }
}
