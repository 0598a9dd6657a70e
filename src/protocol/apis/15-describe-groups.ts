import { array, bool, bytes, defineApi, int16, int32, nullable, string, struct } from '../schema.ts'

/** DescribeGroups: state and members of classic groups. v3 KIP-430 (authorized operations); v4
 *  KIP-345 (static members); v6 KIP-1043 (GROUP_ID_NOT_FOUND). */
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
        // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
        // GROUP_ID_NOT_FOUND · INVALID_GROUP_ID · GROUP_AUTHORIZATION_FAILED
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
