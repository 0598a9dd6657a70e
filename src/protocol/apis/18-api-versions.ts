import { array, bool, defineApi, int16, int32, int64, string, struct } from '../schema.ts'

/** ApiVersions: what the broker speaks; the first request of most clients. KIP-35; v3 KIP-511
 *  (client software) and KIP-584 (features). A broker answers v0 to a version that it does not
 *  know. */
export const ApiVersions = defineApi({
  key: 18,
  name: 'ApiVersions',
  versions: [0, 4],
  flexibleFrom: 3,
  request: {
    clientSoftwareName: string().since(3).ignorable(),
    clientSoftwareVersion: string().since(3).ignorable(),
  },
  response: {
    errorCode: int16(), // UNSUPPORTED_VERSION · INVALID_REQUEST
    apiKeys: array(
      struct({
        apiKey: int16(),
        minVersion: int16(),
        maxVersion: int16(),
      }),
    ),
    throttleTimeMs: int32().since(1).ignorable(),
    supportedFeatures: array(
      struct({
        name: string(),
        minVersion: int16(),
        maxVersion: int16(),
      }),
    )
      .tag(0, 3)
      .ignorable(),
    finalizedFeaturesEpoch: int64().tag(1, 3).default(-1).ignorable(),
    finalizedFeatures: array(
      struct({
        name: string(),
        maxVersionLevel: int16(),
        minVersionLevel: int16(),
      }),
    )
      .tag(2, 3)
      .ignorable(),
    zkMigrationReady: bool().tag(3, 3).ignorable(),
  },
})
