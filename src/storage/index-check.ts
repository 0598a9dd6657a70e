/**
 * The offset index as it lies on the disk: where, how its entries are sealed, and a look over all
 * of it before it is opened. It is derived, so one that is damaged is taken away, and the segments
 * are read instead.
 */
import fs from 'node:fs'
import path from 'node:path'
import { crc32c } from '@node-rs/crc32'
import type { Log } from '../base/log.ts'
import { lmdbFileProblem } from './lmdb-check.ts'

/** Where the index is in the data directory. */
export const INDEX_DIRECTORY = path.join('odradek', 'index')

/** Bytes behind each value: a CRC of key and value, which LMDB does not keep. */
export const SEAL_BYTES = 4

/**
 * After a clean stop a larger index is believed unseen: reading it would be what takes the time.
 */
const LOOKED_OVER_BYTES_MAX = 64 * 1024 * 1024

/** The value as it is stored under `key`. */
export function sealed(key: Buffer, value: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(value.length + SEAL_BYTES)
  value.copy(bytes)
  bytes.writeUInt32BE(crc32c(value, crc32c(key)), value.length)
  return bytes
}

function isSealed(key: Buffer, stored: Buffer): boolean {
  const end = stored.length - SEAL_BYTES
  return end >= 0 && stored.readUInt32BE(end) === crc32c(stored.subarray(0, end), crc32c(key))
}

/** What is known of how the last broker ended. */
export interface LastEnd {
  /** It stopped in order. */
  readonly wasClean: boolean
  /** The machine has run without a break since. */
  readonly sameBoot: boolean
}

/** Takes the index away if it is damaged. To be called before any thread opens it. */
export function discardDamagedIndex(dataDir: string, end: LastEnd, log: Log): void {
  const directory = path.join(dataDir, INDEX_DIRECTORY)
  const file = path.join(directory, 'data.mdb')
  const { size } = fs.statSync(file, { throwIfNoEntry: false }) ?? { size: 0 }
  if (size === 0 || (end.wasClean && size > LOOKED_OVER_BYTES_MAX)) return
  // After a loss of power LMDB goes back to what it synced last, and recovery believes none of it.
  const lostPower = !end.wasClean && !end.sameBoot
  const problem = lostPower ? 'the power was lost' : lmdbFileProblem(file, isSealed)
  if (problem === null) return
  log.warn('the index cannot be trusted and is rebuilt from the segments', { problem })
  fs.rmSync(directory, { recursive: true, force: true })
}
