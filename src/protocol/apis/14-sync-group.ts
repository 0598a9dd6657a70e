import { array, bytes, defineApi, int16, int32, nullable, string, struct } from '../schema.ts'

/** SyncGroup: the leader of a classic group hands out the assignments. v3 KIP-345 (static
 *  members); v5 KIP-559 (protocol type and name). */
export const SyncGroup = defineApi({
  key: 14,
  name: 'SyncGroup',
  versions: [0, 5],
  flexibleFrom: 4,
  request: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: nullable(string()).since(3),
    protocolType: nullable(string()).since(5).ignorable(),
    protocolName: nullable(string()).since(5).ignorable(),
    assignments: array(
      struct({
        memberId: string(),
        assignment: bytes(),
      }),
    ),
  },
  response: {
    throttleTimeMs: int32().since(1).ignorable(),
    // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
    // UNKNOWN_MEMBER_ID · ILLEGAL_GENERATION · REBALANCE_IN_PROGRESS ·
    // INCONSISTENT_GROUP_PROTOCOL · FENCED_INSTANCE_ID · INVALID_GROUP_ID ·
    // GROUP_AUTHORIZATION_FAILED
    errorCode: int16(),
    protocolType: nullable(string()).since(5).ignorable(),
    protocolName: nullable(string()).since(5).ignorable(),
    assignment: bytes(),
  },
})
