import { array, defineApi, int8, int16, int32, string, struct } from '../schema.ts'

/** ListConfigResources: the names of resources that have settings. v0 as
 *  ListClientMetricsResources, KIP-714 and KIP-1000; v1 KIP-1142 (resource types). */
export const ListConfigResources = defineApi({
  key: 74,
  name: 'ListConfigResources',
  versions: [0, 1],
  flexibleFrom: 0,
  request: {
    resourceTypes: array(int8()).since(1),
  },
  response: {
    throttleTimeMs: int32(),
    // UNSUPPORTED_VERSION · CLUSTER_AUTHORIZATION_FAILED
    errorCode: int16(),
    configResources: array(
      struct({
        resourceName: string(),
        resourceType: int8().since(1).default(16).ignorable(),
      }),
    ),
  },
})
