import { array, defineApi, int16, int32, string, struct } from '../schema.ts'

/** ListGroups: the groups that this broker coordinates. v4 KIP-518 (filter by state); v5
 *  KIP-848 (filter by type). */
export const ListGroups = defineApi({
  key: 16,
  name: 'ListGroups',
  versions: [0, 5],
  flexibleFrom: 3,
  request: {
    statesFilter: array(string()).since(4),
    typesFilter: array(string()).since(5),
  },
  response: {
    throttleTimeMs: int32().since(1).ignorable(),
    // COORDINATOR_LOAD_IN_PROGRESS · COORDINATOR_NOT_AVAILABLE
    errorCode: int16(),
    groups: array(
      struct({
        groupId: string(),
        protocolType: string(),
        groupState: string().since(4).ignorable(),
        groupType: string().since(5).ignorable(),
      }),
    ),
  },
})
