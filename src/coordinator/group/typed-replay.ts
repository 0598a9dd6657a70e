/** What the replays of consumer, share and streams groups have in common. */
import type { GroupCoordinator, Replay } from './coordinator.ts'
import type { Group } from './registry.ts'

/** The key of a record about a group. */
export interface GroupKey {
  readonly groupId: string
}

/** The key of a record about a member of a group. */
export interface MemberKey extends GroupKey {
  readonly memberId: string
}

/** A replay whose record has this key and this value: the table that it stands in sees to that. */
export function typedReplay<K, V>(
  replay: (coordinator: GroupCoordinator, key: K, value: V | null) => void,
): Replay {
  return (coordinator, record) => replay(coordinator, record.key as K, record.value as V | null)
}

/** The class of a kind of group. */
type GroupClass<G extends Group> = new (groupId: string) => G

/** The group that a record belongs to; made where there is none, or one of another kind. */
export function persisted<G extends Group>(
  coordinator: GroupCoordinator,
  groupId: string,
  kind: GroupClass<G>,
): G {
  const known = coordinator.groups.get(groupId)
  if (known instanceof kind) return known
  const group = new kind(groupId)
  coordinator.groups.set(group)
  return group
}

/** The epoch of the target assignment and when it was made: logged alike for all three kinds. */
export function targetEpochReplay(
  kind: GroupClass<Group & { targetEpoch: number; targetTimestampMs: number }>,
): Replay {
  return typedReplay(
    (
      coordinator,
      { groupId }: GroupKey,
      value: { assignmentEpoch: number; assignmentTimestamp: number } | null,
    ) => {
      const known = coordinator.groups.get(groupId)
      const found = known instanceof kind ? known : undefined
      const group = value ? persisted(coordinator, groupId, kind) : found
      if (group === undefined) return
      group.targetEpoch = value?.assignmentEpoch ?? -1
      group.targetTimestampMs = value?.assignmentTimestamp ?? 0
    },
  )
}
