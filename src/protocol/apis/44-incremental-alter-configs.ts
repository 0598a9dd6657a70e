import { array, bool, defineApi, int8, int16, int32, nullable, string, struct } from '../schema.ts'

/** IncrementalAlterConfigs: sets, deletes, appends to and subtracts from settings. KIP-339. */
export const IncrementalAlterConfigs = defineApi({
  key: 44,
  name: 'IncrementalAlterConfigs',
  versions: [0, 1],
  flexibleFrom: 1,
  request: {
    resources: array(
      struct({
        resourceType: int8(),
        resourceName: string(),
        configs: array(
          struct({
            name: string(),
            configOperation: int8(),
            value: nullable(string()).default(''),
          }),
        ),
      }),
    ),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    responses: array(
      struct({
        // INVALID_CONFIG · INVALID_REQUEST · UNKNOWN_TOPIC_OR_PARTITION ·
        // POLICY_VIOLATION · TOPIC_AUTHORIZATION_FAILED · GROUP_AUTHORIZATION_FAILED ·
        // CLUSTER_AUTHORIZATION_FAILED
        errorCode: int16(),
        errorMessage: nullable(string()).default(''),
        resourceType: int8(),
        resourceName: string(),
      }),
    ),
  },
})
