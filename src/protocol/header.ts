// Request and response headers. Their version follows from the API: flexible versions have a
// section of tagged fields, but the response of ApiVersions never has, because the client does
// not yet know what the broker speaks. KIP-482, KIP-511.

import { MalformedRequest, Reader } from './reader.ts'
import type { Api } from './schema.ts'
import type { Writer } from './writer.ts'

/** The header of a request. */
export type RequestHeader = {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
  /** Where the body starts. */
  readonly bodyAt: number
}

/** The header of a response. */
export type ResponseHeader = { readonly correlationId: number; readonly bodyAt: number }

const API_VERSIONS_KEY = 18
const reader = new Reader()

/** The header at `at`, which is behind the size, of a request that ends at `end`. `flexible` says
 *  whether a request of this key and version has the flexible header; see apis/index.ts. Throws
 *  MalformedRequest. */
export function decodeRequestHeader(
  buffer: Buffer,
  at: number,
  flexible: (apiKey: number, version: number) => boolean,
  end: number = buffer.length,
): RequestHeader {
  reader.reset(buffer, at, end)
  const apiKey = reader.int16()
  const apiVersion = reader.int16()
  const correlationId = reader.int32()
  // The client id keeps its int16 length also in the flexible header.
  const clientId = reader.nullableString()
  if (apiVersion < 0) throw new MalformedRequest(`API ${apiKey} has no version ${apiVersion}`)
  if (flexible(apiKey, apiVersion)) reader.skipTags()
  return { apiKey, apiVersion, correlationId, clientId, bodyAt: reader.at }
}

/** Writes the header of a request. */
export function encodeRequestHeader(
  writer: Writer,
  api: Api,
  version: number,
  header: { correlationId: number; clientId: string | null },
): void {
  writer.int16(api.key)
  writer.int16(version)
  writer.int32(header.correlationId)
  writer.nullableString(header.clientId)
  if (version >= api.flexibleFrom) writer.uvarint(0)
}

/** Writes the header of a response. */
export function encodeResponseHeader(
  writer: Writer,
  api: Api,
  version: number,
  correlationId: number,
): void {
  writer.int32(correlationId)
  if (hasResponseTags(api, version)) writer.uvarint(0)
}

/** The header at `at`, which is behind the size. Throws MalformedRequest. */
export function decodeResponseHeader(
  buffer: Buffer,
  at: number,
  api: Api,
  version: number,
): ResponseHeader {
  reader.reset(buffer, at)
  const correlationId = reader.int32()
  if (hasResponseTags(api, version)) reader.skipTags()
  return { correlationId, bodyAt: reader.at }
}

function hasResponseTags(api: Api, version: number): boolean {
  return api.key !== API_VERSIONS_KEY && version >= api.flexibleFrom
}
