// UUIDs as Kafka prints them: 16 bytes in base64url without padding, 22 characters.

import { assert } from './assert.ts'
import { readInt32 } from './bytes.ts'

/** The uuid of 16 zero bytes: Kafka's "no topic id". */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

const TEXT_LENGTH = 22
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const INVALID = 0xff
const DIGITS = new Uint8Array(128).fill(INVALID)
for (let i = 0; i < ALPHABET.length; i++) DIGITS[ALPHABET.charCodeAt(i)] = i

// A fetch names the same few topic ids again and again; a hit saves the making of a string.
// Direct-mapped and of fixed size, so that random ids only cost their own conversion.
const CACHE_SLOTS = 512
const cacheWords = new Int32Array(CACHE_SLOTS * 4)
const cacheTexts: string[] = new Array<string>(CACHE_SLOTS).fill(ZERO_UUID)

// hot
/** The uuid in the 16 bytes at `at`, which the caller has checked to be there. */
export function uuidFromBytes(buffer: Buffer, at: number): string {
  const a = readInt32(buffer, at)
  const b = readInt32(buffer, at + 4)
  const c = readInt32(buffer, at + 8)
  const d = readInt32(buffer, at + 12)
  const slot = (a ^ b ^ c ^ d) & (CACHE_SLOTS - 1)
  const word = slot * 4
  if (
    cacheWords[word] === a &&
    cacheWords[word + 1] === b &&
    cacheWords[word + 2] === c &&
    cacheWords[word + 3] === d
  ) {
    return cacheTexts[slot] as string
  }
  const text = buffer.toString('base64url', at, at + 16)
  cacheWords[word] = a
  cacheWords[word + 1] = b
  cacheWords[word + 2] = c
  cacheWords[word + 3] = d
  cacheTexts[slot] = text
  return text
}

// hot
/** Writes 16 bytes at `at`. Asserts that `text` is a uuid: check foreign text with isUuid first. */
export function uuidToBytes(text: string, buffer: Buffer, at: number): void {
  assert(text.length === TEXT_LENGTH, 'a uuid has 22 characters')
  let bits = 0
  let held = 0
  let to = at
  let seen = 0
  for (let i = 0; i < TEXT_LENGTH; i++) {
    const digit = DIGITS[text.charCodeAt(i)] ?? INVALID
    seen |= digit
    bits = ((bits << 6) | digit) & 0xffff
    held += 6
    if (held >= 8) {
      held -= 8
      buffer[to++] = bits >> held
    }
  }
  assert(seen < 64, 'a uuid has only base64url characters')
}

/** Whether `text` is a uuid in Kafka's form of 22 base64url characters. */
export function isUuid(text: string): boolean {
  return /^[\w-]{21}[AQgw]$/.test(text)
}

/** From hexadecimal digits, with dashes or without. */
export function uuidFromHex(hex: string): string {
  const bytes = Buffer.from(hex.replaceAll('-', ''), 'hex')
  assert(bytes.length === 16, 'a uuid has 32 hexadecimal digits')
  return bytes.toString('base64url')
}

/** The dashed form of RFC 9562: 8-4-4-4-12 hexadecimal digits. */
export function uuidToHex(text: string): string {
  const bytes = Buffer.alloc(16)
  uuidToBytes(text, bytes, 0)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** A fresh uuid (122 random bits, version 4). `random`: 0 up to and without 1. */
export function newUuid(random: () => number): string {
  const bytes = Buffer.allocUnsafe(16)
  for (let i = 0; i < 16; i++) bytes[i] = Math.floor(random() * 256)
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  return bytes.toString('base64url')
}
