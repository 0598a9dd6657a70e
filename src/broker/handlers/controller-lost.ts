/** What a client hears when the controller's thread was lost before it answered. */
import { ErrorCode } from '../../protocol/errors.ts'

/** Retriable, and says that the change may have been made. */
export const controllerLost = {
  errorCode: ErrorCode.REQUEST_TIMED_OUT,
  errorMessage: 'The controller did not answer.',
} as const
