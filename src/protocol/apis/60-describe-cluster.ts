import { array, bool, defineApi, int8, int16, int32, nullable, string, struct } from '../schema.ts'

/** DescribeCluster: brokers, controller and cluster id. KIP-700; v1 KIP-919 (endpoint types);
 *  v2 KIP-1073 (fenced brokers). */
export const DescribeCluster = defineApi({
  key: 60,
  name: 'DescribeCluster',
  versions: [0, 2],
  flexibleFrom: 0,
  request: {
    includeClusterAuthorizedOperations: bool(),
    endpointType: int8().since(1).default(1),
    includeFencedBrokers: bool().since(2),
  },
  response: {
    throttleTimeMs: int32(),
    // MISMATCHED_ENDPOINT_TYPE · UNSUPPORTED_ENDPOINT_TYPE
    errorCode: int16(),
    errorMessage: nullable(string()),
    endpointType: int8().since(1).default(1),
    clusterId: string(),
    controllerId: int32().default(-1),
    brokers: array(
      struct({
        brokerId: int32(),
        host: string(),
        port: int32(),
        rack: nullable(string()),
        isFenced: bool().since(2),
      }),
    ),
    clusterAuthorizedOperations: int32().default(-2147483648),
  },
})
