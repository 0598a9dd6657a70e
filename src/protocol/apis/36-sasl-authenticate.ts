import {
  bytes,
  defineApi,
  int16,
  int64,
  nullable,
  type RequestOf,
  type ResponseOf,
  string,
} from '../schema.ts'

/** SaslAuthenticate. */
export const SaslAuthenticate = defineApi({
  key: 36,
  name: 'SaslAuthenticate',
  versions: [0, 2],
  flexibleFrom: 2,
  request: {
    authBytes: bytes(),
  },
  response: {
    errorCode: int16(),
    errorMessage: nullable(string()).default(''),
    authBytes: bytes(),
    sessionLifetimeMs: int64().since(1).ignorable(),
  },
})
/** A decoded request. */
export type SaslAuthenticateRequest = RequestOf<typeof SaslAuthenticate>
/** A decoded response. */
export type SaslAuthenticateResponse = ResponseOf<typeof SaslAuthenticate>
