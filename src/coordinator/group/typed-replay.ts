/** What the replays of consumer, share and streams groups have in common. */
import type { GroupCoordinator, Replay } from './coordinator.ts'

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
