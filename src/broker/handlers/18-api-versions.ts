/**
 * ApiVersions 0-4 (KIP-35).
 * Kept: the list is what the handler table serves, with Kafka's own ranges; client telemetry (71,
 *   72) is not listed. Name and version of the client's software are remembered (v3, KIP-511) and
 *   must look like names, else INVALID_REQUEST with an empty list. A version above 4 is answered in
 *   the form of version 0 (KIP-511): `unsupportedVersionResponse`, which dispatch sends.
 * Differs: the only feature is metadata.version; the features of APIs that are not served are not
 *   named, so that clients do not count on them (KIP-584).
 */
import { ApiVersions } from '../../protocol/apis/18-api-versions.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import { defineHandler, type Handler } from './handler.ts'

type Response = ResponseInput<typeof ApiVersions>

const softwareName = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/** Kafka 4.3's metadata.version; no supported feature may start at 0 for old Java clients. */
const METADATA_VERSION = { lowest: 7, highest: 30 }

/** The answer to a version that is not known, in the form of version 0. */
export const unsupportedVersionResponse: Response = {
  errorCode: ErrorCode.UNSUPPORTED_VERSION,
  apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }],
}

/** Builds the handler from the table that it belongs to, which is asked at the first request. */
export function apiVersionsOf(table: () => readonly Handler[]): Handler {
  let response: Response | undefined
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
    response ??= apiVersionsResponse(table())
    exchange.reply(response)
  })
}

/** What a client may use: the advertised ranges of `handlers` by key. */
export function apiVersionsResponse(handlers: readonly Handler[]): Response {
  const { lowest, highest } = METADATA_VERSION
  return {
    apiKeys: handlers
      .map(({ api, advertised: [minVersion, maxVersion] }) => ({
        apiKey: api.key,
        minVersion,
        maxVersion,
      }))
      .sort((a, b) => a.apiKey - b.apiKey),
    supportedFeatures: [{ name: 'metadata.version', minVersion: lowest, maxVersion: highest }],
    finalizedFeaturesEpoch: 0,
    finalizedFeatures: [
      { name: 'metadata.version', minVersionLevel: highest, maxVersionLevel: highest },
    ],
  }
}
