import { array, defineApi, int16, int32, nullable, string, struct } from '../schema.ts'

/** LeaveGroup: members leave a classic group. v3 KIP-345 (several members, static members); v5
 *  KIP-800 (reason). */
export const LeaveGroup = defineApi({
  key: 13,
  name: 'LeaveGroup',
  versions: [0, 5],
  flexibleFrom: 4,
  request: {
    groupId: string(),
    memberId: string().until(2),
    members: array(
      struct({
        memberId: string(),
        groupInstanceId: nullable(string()),
        reason: nullable(string()).since(5).ignorable(),
      }),
    ).since(3),
  },
  response: {
    throttleTimeMs: int32().since(1).ignorable(),
    // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
    // UNKNOWN_MEMBER_ID · FENCED_INSTANCE_ID · INVALID_GROUP_ID ·
    // GROUP_AUTHORIZATION_FAILED
    errorCode: int16(),
    members: array(
      struct({
        memberId: string(),
        groupInstanceId: nullable(string()).default(''),
        errorCode: int16(), // UNKNOWN_MEMBER_ID · FENCED_INSTANCE_ID
      }),
    ).since(3),
  },
})
