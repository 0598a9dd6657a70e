import {
  array,
  bool,
  bytes,
  defineApi,
  int16,
  int32,
  nullable,
  type RequestOf,
  type ResponseOf,
  string,
  struct,
} from '../schema.ts'

/** DescribeGroups. */
export const DescribeGroups = defineApi({
  key: 15,
  name: 'DescribeGroups',
  versions: [0, 6],
  flexibleFrom: 5,
  request: {
    groups: array(string()),
    includeAuthorizedOperations: bool().since(3),
  },
  response: {
    throttleTimeMs: int32().since(1).ignorable(),
    groups: array(
      struct({
        errorCode: int16(),
        errorMessage: nullable(string()).since(6),
        groupId: string(),
        groupState: string(),
        protocolType: string(),
        protocolData: string(),
        members: array(
          struct({
            memberId: string(),
            groupInstanceId: nullable(string()).since(4).ignorable(),
            clientId: string(),
            clientHost: string(),
            memberMetadata: bytes(),
            memberAssignment: bytes(),
          }),
        ),
        authorizedOperations: int32().since(3).default(-2147483648),
      }),
    ),
  },
})
/** A decoded request. */
export type DescribeGroupsRequest = RequestOf<typeof DescribeGroups>
/** A decoded response. */
export type DescribeGroupsResponse = ResponseOf<typeof DescribeGroups>
