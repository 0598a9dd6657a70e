import {
  array,
  bool,
  defineApi,
  float64,
  int16,
  int32,
  nullable,
  string,
  struct,
} from '../schema.ts'

/** AlterClientQuotas: sets and removes quotas. KIP-546. */
export const AlterClientQuotas = defineApi({
  key: 49,
  name: 'AlterClientQuotas',
  versions: [0, 1],
  flexibleFrom: 1,
  request: {
    entries: array(
      struct({
        entity: array(
          struct({
            entityType: string(),
            entityName: nullable(string()).default(''),
          }),
        ),
        ops: array(
          struct({
            key: string(),
            value: float64(),
            remove: bool(),
          }),
        ),
      }),
    ),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    entries: array(
      struct({
        // CLUSTER_AUTHORIZATION_FAILED · INVALID_REQUEST
        errorCode: int16(),
        errorMessage: nullable(string()).default(''),
        entity: array(
          struct({
            entityType: string(),
            entityName: nullable(string()).default(''),
          }),
        ),
      }),
    ),
  },
})
