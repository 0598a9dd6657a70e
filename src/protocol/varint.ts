// The zigzag varints inside of record batches: small numbers of either sign take one byte.
// Source: Protocol Buffers encoding, as used by record batch v2 (KIP-98).

const GROUP = 128
const FITS_INT32 = 0x7fffffff

// hot
/** How many bytes the varint of `value` takes; `value` integral, within 2^53 of 0. */
export function varintSize(value: number): number {
  let left = zigzag(value)
  let size = 1
  while (left >= GROUP) {
    left = Math.floor(left / GROUP)
    size++
  }
  return size
}

// hot
/** Writes the varint of `value` at `at` and answers where it ends. */
export function writeVarint(b: Uint8Array, at: number, value: number): number {
  let left = zigzag(value)
  let to = at
  while (left > FITS_INT32) {
    b[to++] = (left % GROUP) | 0x80
    left = Math.floor(left / GROUP)
  }
  while (left >= GROUP) {
    b[to++] = (left & 0x7f) | 0x80
    left >>>= 7
  }
  b[to] = left
  return to + 1
}

// hot
/** The sign comes back from the lowest bit. `raw` is the unsigned varint, maybe beyond 2^53. */
export function unzigzag(raw: number): number {
  return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2
}

function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1
}
