import {
  array,
  bool,
  defineApi,
  float64,
  int8,
  int16,
  int32,
  nullable,
  string,
  struct,
} from '../schema.ts'

/** DescribeClientQuotas: the quotas that fit a filter. KIP-546. */
export const DescribeClientQuotas = defineApi({
  key: 48,
  name: 'DescribeClientQuotas',
  versions: [0, 1],
  flexibleFrom: 1,
  request: {
    components: array(
      struct({
        entityType: string(),
        matchType: int8(),
        match: nullable(string()).default(''),
      }),
    ),
    strict: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    // CLUSTER_AUTHORIZATION_FAILED · INVALID_REQUEST
    errorCode: int16(),
    errorMessage: nullable(string()).default(''),
    entries: nullable(
      array(
        struct({
          entity: array(
            struct({
              entityType: string(),
              entityName: nullable(string()).default(''),
            }),
          ),
          values: array(
            struct({
              key: string(),
              value: float64(),
            }),
          ),
        }),
      ),
    ).default([]),
  },
})
