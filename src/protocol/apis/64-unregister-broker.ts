import {
  defineApi,
  int16,
  int32,
  nullable,
  type RequestOf,
  type ResponseOf,
  string,
} from '../schema.ts'

/** UnregisterBroker. */
export const UnregisterBroker = defineApi({
  key: 64,
  name: 'UnregisterBroker',
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    brokerId: int32(),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: nullable(string()).default(''),
  },
})
/** A decoded request. */
export type UnregisterBrokerRequest = RequestOf<typeof UnregisterBroker>
/** A decoded response. */
export type UnregisterBrokerResponse = ResponseOf<typeof UnregisterBroker>
