import { bytes, defineApi, int16, int64, nullable, string } from '../schema.ts'

/** SaslAuthenticate: one step of the SASL exchange. KIP-152; v1 KIP-368 (session lifetime). */
export const SaslAuthenticate = defineApi({
  key: 36,
  name: 'SaslAuthenticate',
  versions: [0, 2],
  flexibleFrom: 2,
  request: {
    authBytes: bytes(),
  },
  response: {
    // SASL_AUTHENTICATION_FAILED · ILLEGAL_SASL_STATE
    errorCode: int16(),
    errorMessage: nullable(string()).default(''),
    authBytes: bytes(),
    sessionLifetimeMs: int64().since(1).ignorable(),
  },
})
