import { array, defineApi, int16, string } from '../schema.ts'

/** SaslHandshake: chooses the SASL mechanism. KIP-43; v1 KIP-152 (tokens in SaslAuthenticate). */
export const SaslHandshake = defineApi({
  key: 17,
  name: 'SaslHandshake',
  versions: [0, 1],
  flexibleFrom: null,
  request: {
    mechanism: string(),
  },
  response: {
    // UNSUPPORTED_SASL_MECHANISM · ILLEGAL_SASL_STATE
    errorCode: int16(),
    mechanisms: array(string()),
  },
})
