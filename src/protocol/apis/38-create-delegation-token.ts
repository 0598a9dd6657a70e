import {
  array,
  bytes,
  defineApi,
  int16,
  int32,
  int64,
  nullable,
  string,
  struct,
} from '../schema.ts'

/** CreateDelegationToken: issues a delegation token. KIP-48; v3 KIP-373 (for other users). */
export const CreateDelegationToken = defineApi({
  key: 38,
  name: 'CreateDelegationToken',
  versions: [1, 3],
  flexibleFrom: 2,
  request: {
    ownerPrincipalType: nullable(string()).since(3).default(''),
    ownerPrincipalName: nullable(string()).since(3).default(''),
    renewers: array(
      struct({
        principalType: string(),
        principalName: string(),
      }),
    ),
    maxLifetimeMs: int64(),
  },
  response: {
    // DELEGATION_TOKEN_AUTH_DISABLED · DELEGATION_TOKEN_REQUEST_NOT_ALLOWED ·
    // DELEGATION_TOKEN_AUTHORIZATION_FAILED · INVALID_PRINCIPAL_TYPE ·
    // INVALID_TIMESTAMP
    errorCode: int16(),
    principalType: string(),
    principalName: string(),
    tokenRequesterPrincipalType: string().since(3),
    tokenRequesterPrincipalName: string().since(3),
    issueTimestampMs: int64(),
    expiryTimestampMs: int64(),
    maxTimestampMs: int64(),
    tokenId: string(),
    hmac: bytes(),
    throttleTimeMs: int32(),
  },
})
