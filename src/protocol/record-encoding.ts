// Writes the records section of a batch: for control records, coordinator records, re-encoding and
// tests. KIP-98.

import { assert } from '../base/assert.ts'
import { varintSize, writeVarint } from './varint.ts'

/** A header of a record to build. */
export type HeaderInput = { readonly key: string; readonly value: Uint8Array | null }

/** A record to build. */
export type RecordInput = {
  /** Default: the index of the record. */
  readonly offsetDelta?: number
  /** Milliseconds; default: the batch's baseTimestamp. */
  readonly timestamp?: number
  readonly key?: Uint8Array | null
  readonly value?: Uint8Array | null
  readonly headers?: readonly HeaderInput[]
}

/** The records section of a batch, uncompressed. */
export function encodeRecords(records: readonly RecordInput[], baseTimestamp: number): Buffer {
  const sizes = records.map((record, index) => bodySize(record, index, baseTimestamp))
  const total = sizes.reduce((sum, size) => sum + varintSize(size) + size, 0)
  const b = Buffer.allocUnsafe(total)
  let at = 0
  records.forEach((record, index) => {
    at = writeVarint(b, at, sizes[index] as number)
    b[at++] = 0
    at = writeVarint(b, at, timestampDelta(record, baseTimestamp))
    at = writeVarint(b, at, record.offsetDelta ?? index)
    at = writeBytes(b, at, record.key ?? null)
    at = writeBytes(b, at, record.value ?? null)
    const headers = record.headers ?? []
    at = writeVarint(b, at, headers.length)
    for (const header of headers) {
      at = writeBytes(b, at, Buffer.from(header.key))
      at = writeBytes(b, at, header.value)
    }
  })
  assert(at === total, 'the sizes of records are what is written')
  return b
}

function bodySize(record: RecordInput, index: number, baseTimestamp: number): number {
  const headers = record.headers ?? []
  let size = 1 + varintSize(timestampDelta(record, baseTimestamp))
  size += varintSize(record.offsetDelta ?? index)
  size += bytesSize(record.key?.length ?? -1) + bytesSize(record.value?.length ?? -1)
  size += varintSize(headers.length)
  for (const header of headers) {
    size += bytesSize(Buffer.byteLength(header.key)) + bytesSize(header.value?.length ?? -1)
  }
  return size
}

function bytesSize(length: number): number {
  return varintSize(length) + Math.max(0, length)
}

function writeBytes(b: Buffer, at: number, value: Uint8Array | null): number {
  if (value === null) return writeVarint(b, at, -1)
  const bodyAt = writeVarint(b, at, value.length)
  b.set(value, bodyAt)
  return bodyAt + value.length
}

function timestampDelta(record: RecordInput, baseTimestamp: number): number {
  return (record.timestamp ?? baseTimestamp) - baseTimestamp
}
