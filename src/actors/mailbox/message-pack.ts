/**
 * MessagePack for what goes between threads now and then. The package is loaded when something
 * does: a broker of one thread that keeps nothing has no use for it.
 */
import { createRequire } from 'node:module'

type MessagePack = Pick<typeof import('msgpackr'), 'pack' | 'unpack'>

const require = createRequire(import.meta.url)
let loaded: MessagePack | undefined

/** As one message; the bytes are the caller's. */
export function pack(value: unknown): Buffer {
  return library().pack(value)
}

/** What was packed. */
export function unpack(bytes: Uint8Array): unknown {
  return library().unpack(bytes)
}

function library(): MessagePack {
  loaded ??= require('msgpackr') as MessagePack
  return loaded
}
