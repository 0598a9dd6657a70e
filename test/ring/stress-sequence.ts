/** The next state of a xorshift generator (Marsaglia 2003); never 0 from a seed that is not 0. */
export function nextRandom(state: number): number {
  let next = state
  next ^= next << 13
  next ^= next >>> 17
  next ^= next << 5
  return next | 0
}

/** Payload size of a frame: mostly a few words, seldom up to 512 bytes. A multiple of 4. */
export function payloadBytes(state: number): number {
  const small = (state >>> 8) & 7
  return (state & 255) === 0 ? ((state >>> 8) & 127) * 4 : small * 4
}

/** What stands at byte `at` of a payload. */
export function word(state: number, at: number): number {
  return Math.imul(state + at, 0x9e3779b1) >>> 0
}
