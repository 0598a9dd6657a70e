import { array, defineApi, int8, int16, int32, nullable, string, struct } from '../schema.ts'

/** CreateAcls: adds ACLs. KIP-140; v1 KIP-290 (pattern types). */
export const CreateAcls = defineApi({
  key: 30,
  name: 'CreateAcls',
  versions: [1, 3],
  flexibleFrom: 2,
  request: {
    creations: array(
      struct({
        resourceType: int8(),
        resourceName: string(),
        resourcePatternType: int8().default(3),
        principal: string(),
        host: string(),
        operation: int8(),
        permissionType: int8(),
      }),
    ),
  },
  response: {
    throttleTimeMs: int32(),
    results: array(
      struct({
        // SECURITY_DISABLED · CLUSTER_AUTHORIZATION_FAILED · INVALID_REQUEST
        errorCode: int16(),
        errorMessage: nullable(string()).default(''),
      }),
    ),
  },
})
