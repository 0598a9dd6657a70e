/** What java/Segments.java prints about the log that it has filled. */

/** A record as a consumer read it. */
export interface WrittenRecord {
  readonly offset: number
  readonly timestamp: number
  readonly appendTime: boolean
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [string, string | null])[]
}

/** `committed`: offsets that read_committed shows. */
export interface Written {
  readonly logDirectory: string
  readonly records: readonly WrittenRecord[]
  readonly committed: readonly number[]
}

/** Reads the line of JSON. */
export function readSegmentsOutput(output: string): Written {
  return JSON.parse(output) as Written
}
