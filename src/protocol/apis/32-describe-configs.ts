import {
  array,
  bool,
  defineApi,
  int8,
  int16,
  int32,
  nullable,
  type RequestOf,
  type ResponseOf,
  string,
  struct,
} from '../schema.ts'

/** DescribeConfigs. */
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
/** A decoded request. */
export type DescribeConfigsRequest = RequestOf<typeof DescribeConfigs>
/** A decoded response. */
export type DescribeConfigsResponse = ResponseOf<typeof DescribeConfigs>
