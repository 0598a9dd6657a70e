import { array, defineApi, int16, type RequestOf, type ResponseOf, string } from '../schema.ts'

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
/** A decoded request. */
export type SaslHandshakeRequest = RequestOf<typeof SaslHandshake>
/** A decoded response. */
export type SaslHandshakeResponse = ResponseOf<typeof SaslHandshake>
