// The codecs of all messages: compiled from the schema once per message and version, at first use.

import { assert } from '../base/assert.ts'
import { compileDecoder, type Decode } from './compile-reader.ts'
import { compileEncoder, type Encode } from './compile-writer.ts'
import { Reader } from './reader.ts'
import type {
  Api,
  Message,
  MessageInput,
  MessageOf,
  RequestInput,
  RequestOf,
  ResponseInput,
  ResponseOf,
} from './schema.ts'
import type { Writer } from './writer.ts'

type Codec = { decode: Decode | undefined; encode: Encode | undefined }

const reader = new Reader()

/** The request body at `at`, which ends before `end`. Byte values are views into `buffer`; bytes
 *  after the body are ignored. Throws MalformedRequest. `version` has to be one of the API's. */
export function decodeRequest<A extends Api>(
  api: A,
  version: number,
  buffer: Buffer,
  at: number,
  end: number = buffer.length,
): RequestOf<A> {
  return decodeMessage(api.request, version, buffer, at, end) as RequestOf<A>
}

/** The response body at `at`; as decodeRequest. */
export function decodeResponse<A extends Api>(
  api: A,
  version: number,
  buffer: Buffer,
  at: number,
): ResponseOf<A> {
  return decodeMessage(api.response, version, buffer, at) as ResponseOf<A>
}

/** Writes a request body. Throws UnsupportedFieldVersion. */
export function encodeRequest<A extends Api>(
  api: A,
  version: number,
  value: RequestInput<A>,
  writer: Writer,
): void {
  encodeMessage(api.request, version, value, writer)
}

/** Writes a response body. Throws UnsupportedFieldVersion. */
export function encodeResponse<A extends Api>(
  api: A,
  version: number,
  value: ResponseInput<A>,
  writer: Writer,
): void {
  encodeMessage(api.response, version, value, writer)
}

/** The message at `at`; as decodeRequest. */
export function decodeMessage<M extends Message>(
  message: M,
  version: number,
  buffer: Buffer,
  at: number,
  end: number = buffer.length,
): MessageOf<M> {
  const codec = codecOf(message, version)
  codec.decode ??= compileDecoder(message, version)
  reader.reset(buffer, at, end)
  return codec.decode(reader) as MessageOf<M>
}

/** Writes a message. Throws UnsupportedFieldVersion. */
export function encodeMessage<M extends Message>(
  message: M,
  version: number,
  value: MessageInput<M>,
  writer: Writer,
): void {
  const codec = codecOf(message, version)
  codec.encode ??= compileEncoder(message, version)
  codec.encode(writer, value)
}

function codecOf(message: Message, version: number): Codec {
  const known = message.codecs[version] as Codec | undefined
  if (known !== undefined) return known
  const [lowest, highest] = message.versions
  assert(version >= lowest && version <= highest, `${message.name} has no version ${version}`)
  const codec: Codec = { decode: undefined, encode: undefined }
  message.codecs[version] = codec
  return codec
}
