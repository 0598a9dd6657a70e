import {
  array,
  defineApi,
  int16,
  int32,
  nullable,
  type RequestOf,
  type ResponseOf,
  string,
  struct,
} from '../schema.ts'

/** LeaveGroup. */
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
    errorCode: int16(),
    members: array(
      struct({
        memberId: string(),
        groupInstanceId: nullable(string()).default(''),
        errorCode: int16(),
      }),
    ).since(3),
  },
})
/** A decoded request. */
export type LeaveGroupRequest = RequestOf<typeof LeaveGroup>
/** A decoded response. */
export type LeaveGroupResponse = ResponseOf<typeof LeaveGroup>
