import { array, bool, bytes, defineApi, int16, int32, nullable, string, struct } from '../schema.ts'

/** JoinGroup: a member enters a rebalance of a classic group. KIP-62; v4 KIP-394 (member id
 *  required); v5 KIP-345 (static members); v7 KIP-559 (protocol in the response); v8 KIP-800
 *  (reason); v9 KIP-814 (skip assignment). */
export const JoinGroup = defineApi({
  key: 11,
  name: 'JoinGroup',
  versions: [0, 9],
  flexibleFrom: 6,
  request: {
    groupId: string(),
    sessionTimeoutMs: int32(),
    rebalanceTimeoutMs: int32().since(1).default(-1).ignorable(),
    memberId: string(),
    groupInstanceId: nullable(string()).since(5),
    protocolType: string(),
    protocols: array(
      struct({
        name: string(),
        metadata: bytes(),
      }),
    ),
    reason: nullable(string()).since(8).ignorable(),
  },
  response: {
    throttleTimeMs: int32().since(2).ignorable(),
    // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
    // INCONSISTENT_GROUP_PROTOCOL · UNKNOWN_MEMBER_ID · INVALID_SESSION_TIMEOUT ·
    // INVALID_GROUP_ID · MEMBER_ID_REQUIRED · FENCED_INSTANCE_ID ·
    // GROUP_MAX_SIZE_REACHED · REBALANCE_IN_PROGRESS · UNSUPPORTED_VERSION ·
    // GROUP_AUTHORIZATION_FAILED
    errorCode: int16(),
    generationId: int32().default(-1),
    protocolType: nullable(string()).since(7).ignorable(),
    protocolName: nullable(string(), 7).default(''),
    leader: string(),
    skipAssignment: bool().since(9),
    memberId: string(),
    members: array(
      struct({
        memberId: string(),
        groupInstanceId: nullable(string()).since(5).ignorable(),
        metadata: bytes(),
      }),
    ),
  },
})
