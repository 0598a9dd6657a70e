/**
 * LZ4 blocks by thorough search, for the levels of `compression.lz4.level` that are not the fast
 * one. Hash chains as in LZ4 HC: the level is how many earlier places are tried for each match
 * (2^(level-1)). Source: the LZ4 block format description; lz4-java's high compressor, which Kafka
 * uses (KIP-390).
 */

const MATCH_MIN = 4
/** The last match begins at least this far before the end. */
const MATCH_FREE_TAIL = 12
/** The last bytes are literals. */
const LITERAL_TAIL = 5
const DISTANCE_MAX = 65_535
const HASH_BITS = 15
/** Reached at level 13. More finds next to nothing within 64 KiB, and noise would take seconds. */
const TRIES_MAX = 4096

const heads = new Int32Array(1 << HASH_BITS)
/** By position, which is below 64 KiB: the position before it with the same hash. */
const previous = new Int32Array(65_536)

/** `plain` (at most 64 KiB) as a block, or `undefined` where that would be no shorter. */
export function lz4HighBlock(plain: Buffer, level: number): Buffer | undefined {
  const out = Buffer.allocUnsafe(plain.length)
  const end = plain.length
  const lastMatchAt = end - MATCH_FREE_TAIL
  const tries = Math.min(TRIES_MAX, 2 ** (level - 1))
  heads.fill(-1)
  let written = 0
  let literalsFrom = 0
  let at = 0
  while (at <= lastMatchAt) {
    const candidate = insert(plain, at)
    const match = longest(plain, at, candidate, tries)
    if (match.length < MATCH_MIN) {
      at++
      continue
    }
    written = sequence(out, written, plain.subarray(literalsFrom, at), match)
    if (written < 0) return undefined
    const next = at + match.length
    for (at++; at < next; at++) if (at <= lastMatchAt) insert(plain, at)
    literalsFrom = at
  }
  written = sequence(out, written, plain.subarray(literalsFrom), undefined)
  return written < 0 ? undefined : out.subarray(0, written)
}

interface Match {
  length: number
  distance: number
}

/** Filled by `longest`. */
const found: Match = { length: 0, distance: 0 }

/** Enters `at` into its chain and answers the place before it with the same hash, or -1. */
function insert(plain: Buffer, at: number): number {
  const hash = Math.imul(plain.readInt32LE(at), -1640531535) >>> (32 - HASH_BITS)
  const candidate = heads[hash] as number
  previous[at] = candidate
  heads[hash] = at
  return candidate
}

function longest(plain: Buffer, at: number, first: number, tries: number): Match {
  const limit = plain.length - LITERAL_TAIL - at
  let candidate = first
  found.length = 0
  for (let i = 0; i < tries && candidate >= 0 && at - candidate <= DISTANCE_MAX; i++) {
    // A longer match has to agree in the byte behind the longest so far.
    if (plain[candidate + found.length] === plain[at + found.length]) {
      let length = 0
      while (length < limit && plain[candidate + length] === plain[at + length]) length++
      if (length > found.length) {
        found.length = length
        found.distance = at - candidate
        if (length === limit) break
      }
    }
    candidate = previous[candidate] as number
  }
  return found
}

/** Writes literals and a match at `at`; -1 when there is no room left. */
function sequence(out: Buffer, at: number, literals: Buffer, match: Match | undefined): number {
  const matchLength = match === undefined ? 0 : match.length - MATCH_MIN
  const most = 1 + literals.length + literals.length / 255 + 1 + 2 + matchLength / 255 + 1
  if (at + most > out.length) return -1
  out[at] = (Math.min(literals.length, 15) << 4) | Math.min(matchLength, 15)
  let to = lengthTail(out, at + 1, literals.length)
  out.set(literals, to)
  to += literals.length
  if (match === undefined) return to
  out.writeUInt16LE(match.distance, to)
  return lengthTail(out, to + 2, matchLength)
}

/** What of a length does not fit the token. */
function lengthTail(out: Buffer, at: number, length: number): number {
  if (length < 15) return at
  let to = at
  let left = length - 15
  for (; left >= 255; left -= 255) out[to++] = 255
  out[to++] = left
  return to
}
