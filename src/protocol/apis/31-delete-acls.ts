import { array, defineApi, int8, int16, int32, nullable, string, struct } from '../schema.ts'

/** DeleteAcls: removes the ACLs that fit filters. KIP-140; v1 KIP-290 (pattern types). */
export const DeleteAcls = defineApi({
  key: 31,
  name: 'DeleteAcls',
  versions: [1, 3],
  flexibleFrom: 2,
  request: {
    filters: array(
      struct({
        resourceTypeFilter: int8(),
        resourceNameFilter: nullable(string()).default(''),
        patternTypeFilter: int8().default(3),
        principalFilter: nullable(string()).default(''),
        hostFilter: nullable(string()).default(''),
        operation: int8(),
        permissionType: int8(),
      }),
    ),
  },
  response: {
    throttleTimeMs: int32(),
    filterResults: array(
      struct({
        // SECURITY_DISABLED · CLUSTER_AUTHORIZATION_FAILED · INVALID_REQUEST
        errorCode: int16(),
        errorMessage: nullable(string()).default(''),
        matchingAcls: array(
          struct({
            // SECURITY_DISABLED · CLUSTER_AUTHORIZATION_FAILED · INVALID_REQUEST
            errorCode: int16(),
            errorMessage: nullable(string()).default(''),
            resourceType: int8(),
            resourceName: string(),
            patternType: int8().default(3),
            principal: string(),
            host: string(),
            operation: int8(),
            permissionType: int8(),
          }),
        ),
      }),
    ),
  },
})
