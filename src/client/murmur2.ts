/** Kafka's hash of keys; all clients that keep to it put a key into the same partition. */

const SEED = 0x9747b28c
const M = 0x5bd1e995
const R = 24

// hot
/** Murmur2 of the bytes as a signed int32. Source: Austin Appleby; Kafka's Utils.murmur2. */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes
  let h = SEED ^ length
  const blocks = length & ~3
  for (let i = 0; i < blocks; i += 4) {
    let k =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24)
    k = Math.imul(k, M)
    k ^= k >>> R
    h = Math.imul(h, M) ^ Math.imul(k, M)
  }
  const rest = length - blocks
  if (rest === 3) h ^= (bytes[blocks + 2] as number) << 16
  if (rest >= 2) h ^= (bytes[blocks + 1] as number) << 8
  if (rest >= 1) h = Math.imul(h ^ (bytes[blocks] as number), M)
  h ^= h >>> 13
  h = Math.imul(h, M)
  return h ^ (h >>> 15)
}
