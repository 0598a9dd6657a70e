/**
 * ListConfigResources 0-1 (v0 KIP-1000 as ListClientMetricsResources, v1 KIP-1142).
 * Kept: v0 lists client metrics subscriptions, v1 what is asked for, all types when none is named;
 *   a type that is not known is UNSUPPORTED_VERSION.
 */
import { ConfigResourceType } from '../../cluster/commands.ts'
import type { ClusterImage } from '../../cluster/image.ts'
import { ListConfigResources } from '../../protocol/apis/74-list-config-resources.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { defineHandler } from './handler.ts'

const { TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP } = ConfigResourceType
const allTypes: readonly number[] = [GROUP, CLIENT_METRICS, BROKER_LOGGER, BROKER, TOPIC]

export const listConfigResources = defineHandler(
  ListConfigResources,
  [0, 1],
  (request, exchange) => {
    const { image } = exchange.context
    const asked = exchange.apiVersion === 0 ? [CLIENT_METRICS] : request.resourceTypes
    if (asked.some((type) => !allTypes.includes(type))) {
      exchange.reply({ errorCode: ErrorCode.UNSUPPORTED_VERSION })
      return
    }
    const types = asked.length === 0 ? allTypes : allTypes.filter((type) => asked.includes(type))
    exchange.reply({
      configResources: types.flatMap((resourceType) =>
        namesOf(image, resourceType).map((resourceName) => ({ resourceName, resourceType })),
      ),
    })
  },
)

function namesOf(image: ClusterImage, type: number): readonly string[] {
  switch (type) {
    case GROUP:
      return [...image.groupConfigs.keys()]
    case CLIENT_METRICS:
      return [...image.clientMetrics.keys()]
    case TOPIC:
      return image.topics().map(({ name }) => name)
    default:
      return [String(image.nodeId)]
  }
}
