/**
 * ListPartitionReassignments 0 (KIP-455).
 * Kept: nothing is ever moving on one node, so the list is empty, whatever is asked for.
 */
import { ListPartitionReassignments } from '../../protocol/apis/46-list-partition-reassignments.ts'
import { defineHandler } from './handler.ts'

export const listPartitionReassignments = defineHandler(
  ListPartitionReassignments,
  [0, 0],
  (_request, exchange) => {
    exchange.reply({ errorMessage: null })
  },
)
