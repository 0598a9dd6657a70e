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

/** DescribeDelegationToken: the delegation tokens of owners. KIP-48; v3 KIP-373 (requester). */
export const DescribeDelegationToken = defineApi({
  key: 41,
  name: 'DescribeDelegationToken',
  versions: [1, 3],
  flexibleFrom: 2,
  request: {
    owners: nullable(
      array(
        struct({
          principalType: string(),
          principalName: string(),
        }),
      ),
    ).default([]),
  },
  response: {
    // DELEGATION_TOKEN_AUTH_DISABLED · DELEGATION_TOKEN_REQUEST_NOT_ALLOWED ·
    // DELEGATION_TOKEN_AUTHORIZATION_FAILED
    errorCode: int16(),
    tokens: array(
      struct({
        principalType: string(),
        principalName: string(),
        tokenRequesterPrincipalType: string().since(3),
        tokenRequesterPrincipalName: string().since(3),
        issueTimestamp: int64(),
        expiryTimestamp: int64(),
        maxTimestamp: int64(),
        tokenId: string(),
        hmac: bytes(),
        renewers: array(
          struct({
            principalType: string(),
            principalName: string(),
          }),
        ),
      }),
    ),
    throttleTimeMs: int32(),
  },
})
