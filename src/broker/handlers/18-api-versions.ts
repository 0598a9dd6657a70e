/**
 * ApiVersions 0-4 (KIP-35).
 * Kept: the list is what the handler table serves, with Kafka's own ranges; client telemetry (71,
 *   72) is not listed. Name and version of the client's software are remembered (v3, KIP-511) and
 *   must look like names, else INVALID_REQUEST with an empty list. A version above 4 is answered in
 *   the form of version 0 (KIP-511): `unsupportedVersionResponse`, which dispatch sends.
 *   A feature that may be switched off (level 0) is named from version 4 on only (KIP-1022).
 * Differs: the features of APIs that are not served are not named, so that clients do not count on
 *   them (KIP-584).
 */
import { ApiVersions } from '../../protocol/apis/18-api-versions.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import { defineHandler, type Handler } from './handler.ts'

type Response = ResponseInput<typeof ApiVersions>

const softwareName = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/** The features and their levels in Kafka 4.3. `apiKey`: without that API there is no feature. */
const FEATURES: readonly { name: string; lowest: number; highest: number; apiKey?: number }[] = [
  { name: 'metadata.version', lowest: 7, highest: 30 },
  // Transactions of which each end raises the epoch, KIP-890.
  { name: 'transaction.version', lowest: 0, highest: 2, apiKey: 26 },
  // The consumer group protocol, KIP-848.
  { name: 'group.version', lowest: 0, highest: 1, apiKey: 68 },
  // Share groups, KIP-932.
  { name: 'share.version', lowest: 0, highest: 1, apiKey: 76 },
  // Streams groups, KIP-1071.
  { name: 'streams.version', lowest: 0, highest: 1, apiKey: 88 },
]

/** From this version on clients accept features whose lowest level is 0. */
const LEVEL_0_FROM = 4

/** The answer to a version that is not known, in the form of version 0. */
export const unsupportedVersionResponse: Response = {
  errorCode: ErrorCode.UNSUPPORTED_VERSION,
  apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }],
}

/** Builds the handler from the table that it belongs to, which is asked at the first request. */
export function apiVersionsOf(table: () => readonly Handler[]): Handler {
  const responses: (Response | undefined)[] = []
  return defineHandler(ApiVersions, [0, 4], (request, exchange) => {
    if (exchange.apiVersion >= 3) {
      const { clientSoftwareName, clientSoftwareVersion } = request
      if (!softwareName.test(clientSoftwareName) || !softwareName.test(clientSoftwareVersion)) {
        exchange.reply({ errorCode: ErrorCode.INVALID_REQUEST })
        return
      }
      exchange.session.clientSoftwareName = clientSoftwareName
      exchange.session.clientSoftwareVersion = clientSoftwareVersion
    }
    const { apiVersion } = exchange
    responses[apiVersion] ??= apiVersionsResponse(table(), apiVersion)
    exchange.reply(responses[apiVersion])
  })
}

/** What a client may use: the advertised ranges of `handlers` by key. */
export function apiVersionsResponse(handlers: readonly Handler[], apiVersion: number): Response {
  const features = FEATURES.filter(({ apiKey }) => {
    return apiKey === undefined || handlers.some(({ api }) => api.key === apiKey)
  })
  return {
    apiKeys: handlers
      .map(({ api, advertised: [minVersion, maxVersion] }) => ({
        apiKey: api.key,
        minVersion,
        maxVersion,
      }))
      .sort((a, b) => a.apiKey - b.apiKey),
    supportedFeatures: features
      .filter(({ lowest }) => lowest > 0 || apiVersion >= LEVEL_0_FROM)
      .map(({ name, lowest, highest }) => ({ name, minVersion: lowest, maxVersion: highest })),
    finalizedFeaturesEpoch: 0,
    finalizedFeatures: features.map(({ name, highest }) => ({
      name,
      minVersionLevel: highest,
      maxVersionLevel: highest,
    })),
  }
}
