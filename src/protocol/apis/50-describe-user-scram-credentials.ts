import { array, defineApi, int8, int16, int32, nullable, string, struct } from '../schema.ts'

/** DescribeUserScramCredentials: who has SCRAM credentials. KIP-554. */
export const DescribeUserScramCredentials = defineApi({
  key: 50,
  name: 'DescribeUserScramCredentials',
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    users: nullable(
      array(
        struct({
          name: string(),
        }),
      ),
    ).default([]),
  },
  response: {
    throttleTimeMs: int32(),
    // RESOURCE_NOT_FOUND · DUPLICATE_RESOURCE · CLUSTER_AUTHORIZATION_FAILED
    errorCode: int16(),
    errorMessage: nullable(string()).default(''),
    results: array(
      struct({
        user: string(),
        // RESOURCE_NOT_FOUND · DUPLICATE_RESOURCE · CLUSTER_AUTHORIZATION_FAILED
        errorCode: int16(),
        errorMessage: nullable(string()).default(''),
        credentialInfos: array(
          struct({
            mechanism: int8(),
            iterations: int32(),
          }),
        ),
      }),
    ),
  },
})
