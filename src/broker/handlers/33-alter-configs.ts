/**
 * AlterConfigs 0-2 (KIP-133).
 * Kept: replaces the whole configuration of a resource: what is not named is reset. The same rules
 *   and errors as IncrementalAlterConfigs, which is the better one to use. Loggers are not a type
 *   here.
 */
import { AlterOperation } from '../../config/alter.ts'
import { AlterConfigs } from '../../protocol/apis/33-alter-configs.ts'
import { alterConfigsResponse } from './44-incremental-alter-configs.ts'
import { defineHandler } from './handler.ts'

export const alterConfigs = defineHandler(AlterConfigs, [0, 2], (request, exchange) => {
  const resources = request.resources.map(({ resourceType, resourceName, configs }) => ({
    type: resourceType,
    name: resourceName,
    alterations: configs.map(({ name, value }) => ({ name, value, operation: AlterOperation.SET })),
  }))
  const { validateOnly } = request
  const command = { kind: 'alter-configs', incremental: false, validateOnly, resources } as const
  exchange.context.callController(command, (result) => {
    exchange.reply(alterConfigsResponse(resources, result))
  })
})
