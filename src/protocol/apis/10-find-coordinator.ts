import { array, defineApi, int8, int16, int32, nullable, string, struct } from '../schema.ts'

/** FindCoordinator: which broker coordinates a group, transaction or share partition. v1 KIP-98
 *  (key types); v4 KIP-699 (several keys); v6 KIP-932 (share keys). */
export const FindCoordinator = defineApi({
  key: 10,
  name: 'FindCoordinator',
  versions: [0, 6],
  flexibleFrom: 3,
  request: {
    key: string().until(3),
    keyType: int8().since(1),
    coordinatorKeys: array(string()).since(4),
  },
  response: {
    throttleTimeMs: int32().since(1).ignorable(),
    // COORDINATOR_NOT_AVAILABLE · INVALID_REQUEST · GROUP_AUTHORIZATION_FAILED ·
    // TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    errorCode: int16().until(3),
    errorMessage: nullable(string()).since(1).until(3).default('').ignorable(),
    nodeId: int32().until(3),
    host: string().until(3),
    port: int32().until(3),
    coordinators: array(
      struct({
        key: string(),
        nodeId: int32(),
        host: string(),
        port: int32(),
        // COORDINATOR_NOT_AVAILABLE · INVALID_REQUEST · GROUP_AUTHORIZATION_FAILED ·
        // TRANSACTIONAL_ID_AUTHORIZATION_FAILED
        errorCode: int16(),
        errorMessage: nullable(string()).default('').ignorable(),
      }),
    ).since(4),
  },
})
