/**
 * CreatePartitions 0-3 (KIP-195).
 * Kept: only more partitions, else INVALID_PARTITIONS; assignments for exactly the added ones, else
 *   INVALID_REPLICA_ASSIGNMENT; unknown topics, a topic twice, validateOnly.
 * Differs: too many partitions are refused before anything is made (POLICY_VIOLATION): Kafka
 *   answers an error for a million and has created ten thousand. The coordinators' own topics keep
 *   their number of partitions, since it decides which partition a group lives in.
 */
import { CreatePartitions } from '../../protocol/apis/37-create-partitions.ts'
import { controllerLost, timedOut } from './controller-lost.ts'
import { defineHandler } from './handler.ts'

export const createPartitions = defineHandler(CreatePartitions, [0, 3], (request, exchange) => {
  const { topics, validateOnly } = request
  if (request.timeoutMs <= 0) {
    exchange.reply({ results: topics.map(({ name }) => ({ name, ...timedOut })) })
    return
  }
  const command = { kind: 'create-partitions', topics, validateOnly } as const
  exchange.context.callController(command, (result) => {
    const results = result ?? topics.map(({ name }) => ({ name, ...controllerLost }))
    exchange.reply({ results })
  })
})
