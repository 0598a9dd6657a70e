/**
 * Segment files on disk. Descriptors are opened on demand and the least used are closed, so that
 * thousands of partitions fit into a few hundred descriptors.
 */
import fs from 'node:fs'
import type { SegmentFile } from './storage.ts'
import { StorageError } from './storage-error.ts'

/** The open descriptors of one thread; the first in `#open` was used longest ago. */
export class OpenFiles {
  readonly #open = new Set<DiskSegmentFile>()
  readonly #max: number

  /** `max`: how many descriptors may be open at once (`odradek.open.segments.max`). */
  constructor(max: number) {
    this.#max = Math.max(1, max)
  }

  get count(): number {
    return this.#open.size
  }

  /** Called after `file` was opened. Closes the longest unused one when there are too many. */
  opened(file: DiskSegmentFile): void {
    this.#open.add(file)
    if (this.#open.size <= this.#max) return
    let scanned = 0
    for (const candidate of this.#open) {
      if (candidate === file) continue
      // Second chance: a file used since the last look moves to the end, once around at most.
      if (candidate.takeUsed() && scanned++ < this.#max) {
        this.#open.delete(candidate)
        this.#open.add(candidate)
        continue
      }
      candidate.close()
      return
    }
  }

  closed(file: DiskSegmentFile): void {
    this.#open.delete(file)
  }
}

/** An open descriptor: closed when nobody wants it any more and the last flush of it is done. */
interface Descriptor {
  readonly fd: number
  flushes: number
  retired: boolean
}

/** One segment file; lives on its partition's thread. */
export class DiskSegmentFile implements SegmentFile {
  readonly path: string
  readonly #files: OpenFiles
  #open: Descriptor | undefined
  #size: number
  #used = false
  /** Only a file that is new may come to be by being opened: a removed one must not come back. */
  #isNew: boolean

  constructor(path: string, size: number, files: OpenFiles, isNew: boolean) {
    this.path = path
    this.#size = size
    this.#files = files
    this.#isNew = isNew
  }

  get size(): number {
    return this.#size
  }

  /** Whether the file was used since the last call. */
  takeUsed(): boolean {
    const used = this.#used || (this.#open?.flushes ?? 0) > 0
    this.#used = false
    return used
  }

  append(views: readonly Uint8Array[], bytes: number): void {
    const { fd } = this.#descriptor()
    try {
      let written = 0
      if (views.length > 1) written = fs.writevSync(fd, views, this.#size)
      // What is short finds out with its next write why: the disk is full, mostly.
      if (written < bytes) writeFrom(fd, views, written, this.#size)
    } catch (error) {
      this.#cutBack(fd)
      throw new StorageError(`cannot append to ${this.path}`, error)
    }
    this.#size += bytes
  }

  read(into: Uint8Array, at: number, length: number, position: number): number {
    const { fd } = this.#descriptor()
    let total = 0
    try {
      while (total < length) {
        const n = fs.readSync(fd, into, at + total, length - total, position + total)
        if (n === 0) break
        total += n
      }
    } catch (error) {
      throw new StorageError(`cannot read ${this.path}`, error)
    }
    return total
  }

  truncate(size: number): void {
    try {
      fs.ftruncateSync(this.#descriptor().fd, size)
    } catch (error) {
      throw new StorageError(`cannot cut ${this.path}`, error)
    }
    this.#size = size
  }

  syncNow(): void {
    try {
      fs.fdatasyncSync(this.#descriptor().fd)
    } catch (error) {
      throw new StorageError(`cannot flush ${this.path}`, error)
    }
  }

  sync(done: (error: Error | undefined) => void): void {
    let open: Descriptor
    try {
      open = this.#descriptor()
    } catch (error) {
      done(error as Error)
      return
    }
    open.flushes++
    fs.fdatasync(open.fd, (error) => {
      open.flushes--
      if (open.retired && open.flushes === 0) fs.closeSync(open.fd)
      done(error ? new StorageError(`cannot flush ${this.path}`, error) : undefined)
    })
  }

  close(): void {
    const open = this.#open
    if (open === undefined) return
    this.#open = undefined
    this.#files.closed(this)
    open.retired = true
    // Its number may be given to another file at once, which a late flush would then be of.
    if (open.flushes === 0) fs.closeSync(open.fd)
  }

  #descriptor(): Descriptor {
    this.#used = true
    if (this.#open !== undefined) return this.#open
    const { O_RDWR, O_CREAT } = fs.constants
    try {
      const fd = fs.openSync(this.path, this.#isNew ? O_RDWR | O_CREAT : O_RDWR, 0o644)
      this.#open = { fd, flushes: 0, retired: false }
    } catch (error) {
      throw new StorageError(`cannot open ${this.path}`, error)
    }
    this.#isNew = false
    this.#files.opened(this)
    return this.#open
  }

  #cutBack(fd: number): void {
    try {
      fs.ftruncateSync(fd, this.#size)
    } catch {
      // The next append writes over the torn bytes, and recovery cuts what is not a whole batch.
    }
  }
}

/** Writes `views` but for their first `skip` bytes, which are at `position` already. */
function writeFrom(fd: number, views: readonly Uint8Array[], skip: number, position: number): void {
  let start = 0
  for (const view of views) {
    let at = Math.max(0, Math.min(view.length, skip - start))
    while (at < view.length) {
      at += fs.writeSync(fd, view, at, view.length - at, position + start + at)
    }
    start += view.length
  }
}
