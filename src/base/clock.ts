/** Time as the shells hand it to decisions; tests pass a clock that they turn themselves. */
export interface Clock {
  /** Wall time, milliseconds since 1970 (record timestamps, retention). */
  wallMs(): number
  /** Monotonic time in milliseconds (time-outs, idle connections). */
  monotonicMs(): number
}
