/** What a client hears when the controller did not answer, or not in the time that it was given. */
import { ErrorCode } from '../../protocol/errors.ts'

/** Retriable, and says that the change may have been made. */
export const controllerLost = {
  errorCode: ErrorCode.REQUEST_TIMED_OUT,
  errorMessage: 'The controller did not answer.',
} as const

/** A request that grants no time at all is not begun. */
export const timedOut = { errorCode: ErrorCode.REQUEST_TIMED_OUT, errorMessage: null } as const
