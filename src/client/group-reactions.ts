/** What a member does about the errors of its group: decisions without IO. Source: Kafka's
 *  AbstractCoordinator and ConsumerMembershipManager. */
import { ErrorCode } from '../protocol/errors.ts'

/**
 * retry: at once; backoff: after a while; coordinator: look it up anew, after a while; rejoin: the
 * group is about to rebalance; reset: the member is no member any more, and what it had is lost;
 * stale: the epoch has moved on, ask again with the new one; fail: it cannot go on.
 */
export type Reaction = 'retry' | 'backoff' | 'coordinator' | 'rejoin' | 'reset' | 'stale' | 'fail'

const common: Readonly<Record<number, Reaction>> = {
  [ErrorCode.COORDINATOR_LOAD_IN_PROGRESS]: 'backoff',
  [ErrorCode.REQUEST_TIMED_OUT]: 'backoff',
  [ErrorCode.COORDINATOR_NOT_AVAILABLE]: 'coordinator',
  [ErrorCode.NOT_COORDINATOR]: 'coordinator',
  [ErrorCode.NETWORK_EXCEPTION]: 'coordinator',
}

/** After JoinGroup. MEMBER_ID_REQUIRED is no failure: the answer has the id. KIP-394. */
export function onJoinError(code: number): Reaction {
  if (code === ErrorCode.MEMBER_ID_REQUIRED || code === ErrorCode.REBALANCE_IN_PROGRESS) {
    return 'retry'
  }
  if (code === ErrorCode.UNKNOWN_MEMBER_ID || code === ErrorCode.ILLEGAL_GENERATION) return 'reset'
  return common[code] ?? 'fail'
}

/** After SyncGroup and Heartbeat. */
export function onMemberError(code: number): Reaction {
  if (code === ErrorCode.REBALANCE_IN_PROGRESS) return 'rejoin'
  if (code === ErrorCode.UNKNOWN_MEMBER_ID || code === ErrorCode.ILLEGAL_GENERATION) return 'reset'
  return common[code] ?? 'fail'
}

/** After ConsumerGroupHeartbeat. KIP-848. */
export function onConsumerHeartbeatError(code: number): Reaction {
  if (code === ErrorCode.UNKNOWN_MEMBER_ID || code === ErrorCode.FENCED_MEMBER_EPOCH) return 'reset'
  return common[code] ?? 'fail'
}

/** After OffsetCommit and OffsetFetch. Only who polls can rejoin, so `rejoin` and `reset` end a
 *  commit. */
export function onOffsetError(code: number): Reaction {
  switch (code) {
    case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
    case ErrorCode.UNSTABLE_OFFSET_COMMIT:
      return 'backoff'
    case ErrorCode.STALE_MEMBER_EPOCH:
      return 'stale'
    case ErrorCode.REBALANCE_IN_PROGRESS:
      return 'rejoin'
    case ErrorCode.UNKNOWN_MEMBER_ID:
    case ErrorCode.ILLEGAL_GENERATION:
    case ErrorCode.FENCED_MEMBER_EPOCH:
      return 'reset'
    default:
      return common[code] ?? 'fail'
  }
}
