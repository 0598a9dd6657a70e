import { array, bool, defineApi, int8, int16, int32, nullable, string, struct } from '../schema.ts'

/** UpdateFeatures: changes finalized feature levels. KIP-584; v1 KIP-778 (upgrade types, dry
 *  run). */
export const UpdateFeatures = defineApi({
  key: 57,
  name: 'UpdateFeatures',
  versions: [0, 2],
  flexibleFrom: 0,
  request: {
    timeoutMs: int32().default(60000),
    featureUpdates: array(
      struct({
        feature: string(),
        maxVersionLevel: int16(),
        allowDowngrade: bool().until(0),
        upgradeType: int8().since(1).default(1),
      }),
    ),
    validateOnly: bool().since(1),
  },
  response: {
    throttleTimeMs: int32(),
    // FEATURE_UPDATE_FAILED · INVALID_UPDATE_VERSION · INVALID_REQUEST ·
    // CLUSTER_AUTHORIZATION_FAILED
    errorCode: int16(),
    errorMessage: nullable(string()).default(''),
    results: array(
      struct({
        feature: string(),
        // FEATURE_UPDATE_FAILED · INVALID_UPDATE_VERSION · INVALID_REQUEST ·
        // CLUSTER_AUTHORIZATION_FAILED
        errorCode: int16(),
        errorMessage: nullable(string()).default(''),
      }),
    )
      .until(1)
      .ignorable(),
  },
})
