import { array, defineApi, int16, int32, string, struct } from '../schema.ts'

/** DeleteGroups: deletes groups without members. KIP-229. */
export const DeleteGroups = defineApi({
  key: 42,
  name: 'DeleteGroups',
  versions: [0, 2],
  flexibleFrom: 2,
  request: {
    groupsNames: array(string()),
  },
  response: {
    throttleTimeMs: int32(),
    results: array(
      struct({
        groupId: string(),
        // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
        // NON_EMPTY_GROUP · GROUP_ID_NOT_FOUND · INVALID_GROUP_ID ·
        // GROUP_AUTHORIZATION_FAILED
        errorCode: int16(),
      }),
    ),
  },
})
