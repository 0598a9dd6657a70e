/**
 * IncrementalAlterConfigs 0-1 (KIP-339; groups KIP-848, client metrics KIP-714).
 * Kept: SET, DELETE, APPEND and SUBTRACT of topic, broker (this one's, or '' for all), group and
 *   client metrics configurations, validated as a whole and all or nothing for each resource;
 *   durable and in force on every thread when the answer leaves.
 * Differs: there are no loggers by name, so a change of one is INVALID_CONFIG; a resource's
 *   configuration and the number of configured groups are bounded.
 */
import type { AlteredResource, ResourceAlteration } from '../../cluster/commands.ts'
import { IncrementalAlterConfigs } from '../../protocol/apis/44-incremental-alter-configs.ts'
import { controllerLost } from './controller-lost.ts'
import { defineHandler } from './handler.ts'

export const incrementalAlterConfigs = defineHandler(
  IncrementalAlterConfigs,
  [0, 1],
  (request, exchange) => {
    const resources = request.resources.map(({ resourceType, resourceName, configs }) => ({
      type: resourceType,
      name: resourceName,
      alterations: configs.map(({ name, configOperation, value }) => ({
        name,
        operation: configOperation,
        value,
      })),
    }))
    const { validateOnly } = request
    const command = { kind: 'alter-configs', incremental: true, validateOnly, resources } as const
    exchange.context.callController(command, (result) => {
      exchange.reply(alterConfigsResponse(resources, result))
    })
  },
)

/** The controller's answers in the form that both config APIs share. */
export function alterConfigsResponse(
  asked: readonly ResourceAlteration[],
  result: readonly AlteredResource[] | undefined,
) {
  const answers = result ?? asked.map(({ type, name }) => ({ type, name, ...controllerLost }))
  return {
    responses: answers.map(({ type, name, errorCode, errorMessage }) => ({
      resourceType: type,
      resourceName: name,
      errorCode,
      errorMessage,
    })),
  }
}
