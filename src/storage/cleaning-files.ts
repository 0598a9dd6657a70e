/**
 * Compaction on disk: `<base>.log.cleaned` while it is written, `.log.swap` from the moment it
 * counts, `.log` when those it replaces are out of the way. Source: Kafka's LogCleaner and
 * LogLoader.
 */
import fs from 'node:fs'
import path from 'node:path'
import type { CleanedFile, CleaningFiles } from './storage.ts'
import { StorageError } from './storage-error.ts'

/** Added to the name of a segment that compaction writes. */
export const CLEANED_SUFFIX = '.cleaned'
/** Added to the name of a compacted segment that takes the place of others. */
export const SWAP_SUFFIX = '.swap'
/** Added to the name of a segment whose bytes are to go. */
export const DELETED_SUFFIX = '.deleted'

/** What stands before a batch's records and says how long and where it is. */
const HEADER_BYTES = 61

/** Kafka's name of a segment: its base offset in 20 digits. */
export function segmentName(baseOffset: number): string {
  return `${String(baseOffset).padStart(20, '0')}.log`
}

/** The files of the partition directory `directory`, for one task. */
export class DiskCleaningFiles implements CleaningFiles {
  readonly #directory: string
  /** The segment that is open for reading. */
  #fd = -1
  #base = -1

  constructor(directory: string) {
    this.#directory = directory
  }

  read(baseOffset: number, into: Uint8Array, length: number, position: number): number {
    let total = 0
    try {
      if (this.#base !== baseOffset) this.#open(baseOffset)
      while (total < length) {
        const n = fs.readSync(this.#fd, into, total, length - total, position + total)
        if (n === 0) break
        total += n
      }
    } catch (error) {
      throw new StorageError(`cannot read ${this.#path(baseOffset)}`, error)
    }
    return total
  }

  create(baseOffset: number): CleanedFile {
    const file = `${this.#path(baseOffset)}${CLEANED_SUFFIX}`
    let fd: number
    try {
      // A task of a thread that died may still write to the old file: it keeps its own.
      fs.rmSync(file, { force: true })
      fd = fs.openSync(file, 'wx', 0o644)
    } catch (error) {
      throw new StorageError(`cannot create ${file}`, error)
    }
    return new DiskCleanedFile(file, fd)
  }

  close(): void {
    if (this.#fd !== -1) fs.closeSync(this.#fd)
    this.#fd = -1
    this.#base = -1
  }

  #open(baseOffset: number): void {
    this.close()
    this.#fd = fs.openSync(this.#path(baseOffset), 'r')
    this.#base = baseOffset
  }

  #path(baseOffset: number): string {
    return path.join(this.#directory, segmentName(baseOffset))
  }
}

class DiskCleanedFile implements CleanedFile {
  readonly #path: string
  #fd: number

  constructor(file: string, fd: number) {
    this.#path = file
    this.#fd = fd
  }

  append(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length; ) at += fs.writeSync(this.#fd, bytes, at)
    } catch (error) {
      throw new StorageError(`cannot append to ${this.#path}`, error)
    }
  }

  finish(modifiedMs: number): void {
    try {
      fs.futimesSync(this.#fd, modifiedMs / 1000, modifiedMs / 1000)
      fs.fsyncSync(this.#fd)
      fs.closeSync(this.#fd)
      this.#fd = -1
    } catch (error) {
      throw new StorageError(`cannot flush ${this.#path}`, error)
    }
  }

  discard(): void {
    if (this.#fd !== -1) fs.closeSync(this.#fd)
    this.#fd = -1
    fs.rmSync(this.#path, { force: true })
  }
}

/**
 * Ends what a crash interrupted in a partition's directory: unfinished compacted segments and
 * removed ones go, swaps that had begun are finished. Answers the base offsets of segments that
 * took the place of others. Throws the errors of the file system.
 */
export function finishInterrupted(directory: string): Set<number> {
  const swapped = new Set<number>()
  const names = fs.readdirSync(directory)
  for (const name of names) {
    if (name.endsWith(CLEANED_SUFFIX)) fs.rmSync(path.join(directory, name), { force: true })
  }
  for (const name of names.filter((one) => one.endsWith(`.log${SWAP_SUFFIX}`)).sort()) {
    finishSwap(directory, name, names)
    swapped.add(baseOf(name))
  }
  const there = new Set(fs.readdirSync(directory))
  for (const name of there) {
    // Indexes that Kafka swapped along; there are none here.
    if (name.endsWith(SWAP_SUFFIX)) fs.rmSync(path.join(directory, name), { force: true })
    if (!name.endsWith(DELETED_SUFFIX)) continue
    // With a successor of the same name beside it, it was replaced and not just removed.
    if (there.has(name.slice(0, -DELETED_SUFFIX.length))) swapped.add(baseOf(name))
    fs.rmSync(path.join(directory, name), { force: true })
  }
  return swapped
}

function finishSwap(directory: string, name: string, names: readonly string[]): void {
  const from = path.join(directory, name)
  const base = baseOf(name)
  const last = lastOffsetOf(from)
  for (const other of names) {
    if (!/^\d{20}\.log$/.test(other) || baseOf(other) <= base || baseOf(other) > last) continue
    fs.rmSync(path.join(directory, other), { force: true })
  }
  fs.renameSync(from, path.join(directory, segmentName(base)))
}

function baseOf(name: string): number {
  return Number(name.slice(0, 20))
}

/** The last offset in a segment of whole batches, or -1. */
function lastOffsetOf(file: string): number {
  const header = Buffer.alloc(HEADER_BYTES)
  const fd = fs.openSync(file, 'r')
  let last = -1
  try {
    for (let position = 0; ; ) {
      const n = fs.readSync(fd, header, 0, HEADER_BYTES, position)
      const length = n < HEADER_BYTES ? -1 : header.readInt32BE(8)
      if (length < HEADER_BYTES - 12) return last
      last = header.readUInt32BE(0) * 2 ** 32 + header.readUInt32BE(4) + header.readInt32BE(23)
      position += length + 12
    }
  } finally {
    fs.closeSync(fd)
  }
}
