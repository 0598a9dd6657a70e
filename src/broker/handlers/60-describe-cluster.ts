/**
 * DescribeCluster 0-2 (KIP-700; v1 KIP-919, v2 KIP-1073).
 * Kept: endpoint type 2 (controllers) is MISMATCHED_ENDPOINT_TYPE on a broker; a type that is not
 *   known is UNSUPPORTED_ENDPOINT_TYPE; authorized operations only on request (KIP-430).
 */
import { DescribeCluster } from '../../protocol/apis/60-describe-cluster.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { defineHandler } from './handler.ts'
import { CLUSTER_OPERATIONS, OPERATIONS_NOT_ASKED } from './operations.ts'
import { rackOf } from './rack.ts'

const BROKERS = 1
const CONTROLLERS = 2

export const describeCluster = defineHandler(DescribeCluster, [0, 2], (request, exchange) => {
  const { context, endpoint } = exchange
  const { clusterId, nodeId } = context.image
  const { endpointType } = request
  if (endpointType !== BROKERS) {
    const known = endpointType === CONTROLLERS
    exchange.reply({
      errorCode: known ? ErrorCode.MISMATCHED_ENDPOINT_TYPE : ErrorCode.UNSUPPORTED_ENDPOINT_TYPE,
      errorMessage: known
        ? 'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER'
        : `Unsupported endpoint type ${endpointType}`,
      clusterId: '',
    })
    return
  }
  exchange.reply({
    errorMessage: null,
    endpointType,
    clusterId,
    controllerId: nodeId,
    brokers: [
      { brokerId: nodeId, host: endpoint.host, port: endpoint.port, rack: rackOf(context) },
    ],
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
      ? CLUSTER_OPERATIONS
      : OPERATIONS_NOT_ASKED,
  })
})
