/** What the handlers of the transaction APIs share. */
import { ErrorCode } from '../../protocol/errors.ts'

/** Older clients know a producer that was fenced by another error. KIP-588. */
export function beforeFenced(errorCode: ErrorCode, knowsFenced: boolean): ErrorCode {
  const isFenced = errorCode === ErrorCode.PRODUCER_FENCED
  return isFenced && !knowsFenced ? ErrorCode.INVALID_PRODUCER_EPOCH : errorCode
}
