import { array, bool, defineApi, int8, int16, int32, nullable, string, struct } from '../schema.ts'

/** AlterConfigs: replaces all settings of resources. KIP-133; clients use
 *  IncrementalAlterConfigs since KIP-339. */
export const AlterConfigs = defineApi({
  key: 33,
  name: 'AlterConfigs',
  versions: [0, 2],
  flexibleFrom: 2,
  request: {
    resources: array(
      struct({
        resourceType: int8(),
        resourceName: string(),
        configs: array(
          struct({
            name: string(),
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
        // POLICY_VIOLATION · TOPIC_AUTHORIZATION_FAILED · CLUSTER_AUTHORIZATION_FAILED
        errorCode: int16(),
        errorMessage: nullable(string()).default(''),
        resourceType: int8(),
        resourceName: string(),
      }),
    ),
  },
})
