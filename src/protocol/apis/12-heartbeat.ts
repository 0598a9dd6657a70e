import {
  defineApi,
  int16,
  int32,
  nullable,
  type RequestOf,
  type ResponseOf,
  string,
} from '../schema.ts'

/** Heartbeat. */
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
    errorCode: int16(),
  },
})
/** A decoded request. */
export type HeartbeatRequest = RequestOf<typeof Heartbeat>
/** A decoded response. */
export type HeartbeatResponse = ResponseOf<typeof Heartbeat>
