import { array, bytes, defineApi, int8, int16, int32, nullable, string, struct } from '../schema.ts'

/** AlterUserScramCredentials: sets and removes SCRAM credentials. KIP-554. */
export const AlterUserScramCredentials = defineApi({
  key: 51,
  name: 'AlterUserScramCredentials',
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    deletions: array(
      struct({
        name: string(),
        mechanism: int8(),
      }),
    ),
    upsertions: array(
      struct({
        name: string(),
        mechanism: int8(),
        iterations: int32(),
        salt: bytes(),
        saltedPassword: bytes(),
      }),
    ),
  },
  response: {
    throttleTimeMs: int32(),
    results: array(
      struct({
        user: string(),
        // RESOURCE_NOT_FOUND · DUPLICATE_RESOURCE · UNACCEPTABLE_CREDENTIAL ·
        // UNSUPPORTED_SASL_MECHANISM · CLUSTER_AUTHORIZATION_FAILED
        errorCode: int16(),
        errorMessage: nullable(string()).default(''),
      }),
    ),
  },
})
