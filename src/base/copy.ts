/** Copies to and from memory that threads share. */

/** Up to here V8's copy is as fast. */
const SHORT_BYTES = 2048

// hot
/**
 * Copies all of `from` to `at` of `into`, as a whole. TypedArray.prototype.set (and
 * Buffer.prototype.copy before Node 22) moves what is shared word by word, lest a word tear; who
 * copies here owns both places, and `fill` with bytes is a plain memcpy in every version of Node.
 */
export function copyBytes(from: Uint8Array, into: Buffer, at: number): void {
  if (from.length < SHORT_BYTES) into.set(from, at)
  else into.fill(from, at, at + from.length)
}
