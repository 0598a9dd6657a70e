import { defineApi, int16, int32, nullable, string } from '../schema.ts'

/** Heartbeat: a member of a classic group says that it lives. KIP-62; v3 KIP-345 (static
 *  members). */
export const Heartbeat = defineApi({
  key: 12,
  name: 'Heartbeat',
  versions: [0, 4],
  flexibleFrom: 4,
  request: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: nullable(string()).since(3),
  },
  response: {
    throttleTimeMs: int32().since(1).ignorable(),
    // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
    // UNKNOWN_MEMBER_ID · ILLEGAL_GENERATION · REBALANCE_IN_PROGRESS ·
    // FENCED_INSTANCE_ID · INVALID_GROUP_ID · GROUP_AUTHORIZATION_FAILED
    errorCode: int16(),
  },
})
