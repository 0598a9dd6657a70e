/**
 * JoinGroup 0-9 (v4 member ids KIP-394, v5 static members KIP-345, v7 protocol in the answer
 * KIP-559, v8 reason KIP-800, v9 skipped assignments KIP-814).
 * Kept: the answer waits until all members joined or the rebalance timeout is over; the leader
 *   alone is told of the members; a closed connection does not remove its member, except in the
 *   profile dev.
 * Differs: with `group.initial.rebalance.delay.ms` 0 a first member gets its generation at once.
 */
import type { JoinAnswer } from '../../coordinator/group/classic.ts'
import { joinFailure } from '../../coordinator/group/classic-rebalance.ts'
import { JoinGroup } from '../../protocol/apis/11-join-group.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { askCoordinator } from './coordinator.ts'
import { defineHandler } from './handler.ts'

/** Before this version the protocol's name cannot be null. */
const NULL_PROTOCOL_FROM = 7

export const joinGroup = defineHandler(JoinGroup, [0, 9], (request, exchange) => {
  const lost = () => joinFailure(ErrorCode.NOT_COORDINATOR, request.memberId)
  if (exchange.apiVersion >= NULL_PROTOCOL_FROM) {
    askCoordinator('join-group', request, exchange, lost)
    return
  }
  const named = (answer: JoinAnswer) => ({ ...answer, protocolName: answer.protocolName ?? '' })
  askCoordinator('join-group', request, exchange, () => named(lost()), named)
})
