/** Why a member of a consumer group is refused. */
import { ErrorCode } from '../../protocol/errors.ts'

/** The error of an answer, with the sentence that goes with it. */
export interface Refusal {
  readonly errorCode: ErrorCode
  readonly errorMessage: string
}

/** Whether the outcome of a step is a refusal. */
export function isRefusal(outcome: object | undefined): outcome is Refusal {
  return outcome !== undefined && 'errorMessage' in outcome && 'errorCode' in outcome
}

/** A refusal. */
export function refuse(errorCode: ErrorCode, errorMessage: string): Refusal {
  return { errorCode, errorMessage }
}

/** The request contradicts itself. */
export function invalid(errorMessage: string): Refusal {
  return refuse(ErrorCode.INVALID_REQUEST, errorMessage)
}
