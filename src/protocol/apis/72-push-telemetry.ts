import { bool, bytes, defineApi, int8, int16, int32, uuid } from '../schema.ts'

/** PushTelemetry: the metrics of a client. KIP-714. */
export const PushTelemetry = defineApi({
  key: 72,
  name: 'PushTelemetry',
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    clientInstanceId: uuid(),
    subscriptionId: int32(),
    terminating: bool(),
    compressionType: int8(),
    metrics: bytes(),
  },
  response: {
    throttleTimeMs: int32(),
    // UNKNOWN_SUBSCRIPTION_ID · TELEMETRY_TOO_LARGE · INVALID_REQUEST ·
    // UNSUPPORTED_COMPRESSION_TYPE
    errorCode: int16(),
  },
})
