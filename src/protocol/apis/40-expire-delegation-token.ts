import { bytes, defineApi, int16, int32, int64 } from '../schema.ts'

/** ExpireDelegationToken: ends the life of a delegation token. KIP-48. */
export const ExpireDelegationToken = defineApi({
  key: 40,
  name: 'ExpireDelegationToken',
  versions: [1, 2],
  flexibleFrom: 2,
  request: {
    hmac: bytes(),
    expiryTimePeriodMs: int64(),
  },
  response: {
    // DELEGATION_TOKEN_AUTH_DISABLED · DELEGATION_TOKEN_REQUEST_NOT_ALLOWED ·
    // DELEGATION_TOKEN_NOT_FOUND · DELEGATION_TOKEN_OWNER_MISMATCH ·
    // DELEGATION_TOKEN_EXPIRED · INVALID_TIMESTAMP
    errorCode: int16(),
    expiryTimestampMs: int64(),
    throttleTimeMs: int32(),
  },
})
