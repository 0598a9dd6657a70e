/** The headers of a record, read where they lie. KIP-82. */
import { unzigzag } from '../protocol/varint.ts'

/** A header of a record. */
export interface RecordHeader {
  readonly key: string
  /** A view into the answer of a fetch. */
  readonly value: Buffer | null
}

/** `count` headers from `at` on. The cursor that found the record has checked the bytes. */
export function readRecordHeaders(bytes: Buffer, at: number, count: number): RecordHeader[] {
  const headers: RecordHeader[] = []
  let next = at
  const varint = (): number => {
    let raw = 0
    let scale = 1
    for (;;) {
      const byte = bytes[next++] as number
      raw += (byte & 0x7f) * scale
      if (byte < 0x80) return unzigzag(raw)
      scale *= 128
    }
  }
  const view = (length: number): Buffer | null => {
    if (length < 0) return null
    next += length
    return bytes.subarray(next - length, next)
  }
  for (let i = 0; i < count; i++) {
    const key = view(varint())?.toString('utf8') ?? ''
    headers.push({ key, value: view(varint()) })
  }
  return headers
}
