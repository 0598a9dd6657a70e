/**
 * Segment files as this test reads and damages them, without the broker's own log code: what has to
 * be served afterwards follows from what is counted here.
 */
import fs from 'node:fs'
import path from 'node:path'
import { crc32c } from '@node-rs/crc32'
import {
  baseOffset,
  batchSize,
  CRC_FROM,
  crc,
  lastOffset,
  RECORD_BATCH_OVERHEAD,
} from '../../src/protocol/record-batch.ts'

/** A whole batch in a file. */
export interface FoundBatch {
  readonly position: number
  readonly bytes: Buffer
  readonly baseOffset: number
  readonly lastOffset: number
}

/** A segment file of a partition. */
export interface Segment {
  readonly file: string
  readonly baseOffset: number
  readonly size: number
  /** From the start to the first byte that is not a whole batch. */
  readonly batches: readonly FoundBatch[]
}

/** The segments of a partition in order. */
export function segmentsOf(dataDir: string, topic: string, partition: number): Segment[] {
  const directory = path.join(dataDir, `${topic}-${partition}`)
  const names = fs.readdirSync(directory).filter((name) => /^\d{20}\.log$/.test(name))
  return names.sort().map((name) => {
    const file = path.join(directory, name)
    const bytes = fs.readFileSync(file)
    const batches = batchesIn(bytes)
    return { file, baseOffset: Number(name.slice(0, 20)), size: bytes.length, batches }
  })
}

/** Whole batches with the right CRC, one behind the other. */
export function batchesIn(bytes: Buffer): FoundBatch[] {
  const found: FoundBatch[] = []
  let at = 0
  while (bytes.length - at >= RECORD_BATCH_OVERHEAD) {
    const size = batchSize(bytes, at)
    if (size < RECORD_BATCH_OVERHEAD || size > bytes.length - at) break
    const batch = bytes.subarray(at, at + size)
    if (crc32c(batch.subarray(CRC_FROM)) !== crc(batch, 0)) break
    found.push({
      position: at,
      bytes: batch,
      baseOffset: baseOffset(batch, 0),
      lastOffset: lastOffset(batch, 0),
    })
    at += size
  }
  return found
}

/** Cuts a file. */
export function cutAt(file: string, size: number): void {
  fs.truncateSync(file, size)
}

/** Appends bytes to a file. */
export function appendBytes(file: string, bytes: Buffer): void {
  fs.appendFileSync(file, bytes)
}

/** Changes one byte by `mask`, which is not 0. */
export function flipByte(file: string, position: number, mask: number): void {
  const fd = fs.openSync(file, 'r+')
  const byte = Buffer.alloc(1)
  fs.readSync(fd, byte, 0, 1, position)
  byte[0] = (byte[0] as number) ^ mask
  fs.writeSync(fd, byte, 0, 1, position)
  fs.closeSync(fd)
}
