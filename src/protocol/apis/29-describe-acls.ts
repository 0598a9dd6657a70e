import { array, defineApi, int8, int16, int32, nullable, string, struct } from '../schema.ts'

/** DescribeAcls: the ACLs that fit a filter. KIP-140; v1 KIP-290 (pattern types). */
export const DescribeAcls = defineApi({
  key: 29,
  name: 'DescribeAcls',
  versions: [1, 3],
  flexibleFrom: 2,
  request: {
    resourceTypeFilter: int8(),
    resourceNameFilter: nullable(string()).default(''),
    patternTypeFilter: int8().default(3),
    principalFilter: nullable(string()).default(''),
    hostFilter: nullable(string()).default(''),
    operation: int8(),
    permissionType: int8(),
  },
  response: {
    throttleTimeMs: int32(),
    // SECURITY_DISABLED · CLUSTER_AUTHORIZATION_FAILED · INVALID_REQUEST
    errorCode: int16(),
    errorMessage: nullable(string()).default(''),
    resources: array(
      struct({
        resourceType: int8(),
        resourceName: string(),
        patternType: int8().default(3),
        acls: array(
          struct({
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
