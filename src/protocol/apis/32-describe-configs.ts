import { array, bool, defineApi, int8, int16, int32, nullable, string, struct } from '../schema.ts'

/** DescribeConfigs: settings with source and synonyms. KIP-133; v1 KIP-226 (synonyms); v3
 *  KIP-569 (types and documentation). */
export const DescribeConfigs = defineApi({
  key: 32,
  name: 'DescribeConfigs',
  versions: [1, 4],
  flexibleFrom: 4,
  request: {
    resources: array(
      struct({
        resourceType: int8(),
        resourceName: string(),
        configurationKeys: nullable(array(string())).default([]),
      }),
    ),
    includeSynonyms: bool(),
    includeDocumentation: bool().since(3),
  },
  response: {
    throttleTimeMs: int32(),
    results: array(
      struct({
        // UNKNOWN_TOPIC_OR_PARTITION · INVALID_TOPIC_EXCEPTION · INVALID_REQUEST ·
        // TOPIC_AUTHORIZATION_FAILED · GROUP_AUTHORIZATION_FAILED ·
        // CLUSTER_AUTHORIZATION_FAILED
        errorCode: int16(),
        errorMessage: nullable(string()).default(''),
        resourceType: int8(),
        resourceName: string(),
        configs: array(
          struct({
            name: string(),
            value: nullable(string()).default(''),
            readOnly: bool(),
            configSource: int8().default(-1),
            isSensitive: bool(),
            synonyms: array(
              struct({
                name: string(),
                value: nullable(string()).default(''),
                source: int8(),
              }),
            ),
            configType: int8().since(3).ignorable(),
            documentation: nullable(string()).since(3).default('').ignorable(),
          }),
        ),
      }),
    ),
  },
})
