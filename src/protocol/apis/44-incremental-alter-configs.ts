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

/** IncrementalAlterConfigs. */
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
        errorCode: int16(),
        errorMessage: nullable(string()).default(''),
        resourceType: int8(),
        resourceName: string(),
      }),
    ),
  },
})
/** A decoded request. */
export type IncrementalAlterConfigsRequest = RequestOf<typeof IncrementalAlterConfigs>
/** A decoded response. */
export type IncrementalAlterConfigsResponse = ResponseOf<typeof IncrementalAlterConfigs>
