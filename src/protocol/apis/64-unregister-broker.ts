import { defineApi, int16, int32, nullable, string } from '../schema.ts'

/** UnregisterBroker: forgets a broker. */
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
    // BROKER_ID_NOT_REGISTERED · CLUSTER_AUTHORIZATION_FAILED
    errorCode: int16(),
    errorMessage: nullable(string()).default(''),
  },
})
