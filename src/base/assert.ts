// Assertions are for our own bugs, never for what the world does: an actor that meets one stops.

/** A bug of ours: something that holds by construction did not hold. */
export class AssertionError extends Error {
  override readonly name: string = 'AssertionError'
}

/** Throws AssertionError when `condition` does not hold. `why` says what should have been true. */
export function assert(condition: unknown, why: string): asserts condition {
  if (!condition) throw new AssertionError(why)
}

/** The end of a switch over all kinds; the compiler refuses it when a kind is missing. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${String(value)}`)
}
