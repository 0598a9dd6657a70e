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

/** One segment file; lives on its partition's thread. */
export class DiskSegmentFile implements SegmentFile {
  readonly path: string
  readonly #files: OpenFiles
  #fd = -1
  #size: number
  #used = false
  #syncing = 0

  constructor(path: string, size: number, files: OpenFiles) {
    this.path = path
    this.#size = size
    this.#files = files
  }

  get size(): number {
    return this.#size
  }

  /** Whether the file was used since the last call. */
  takeUsed(): boolean {
    const used = this.#used || this.#syncing > 0
    this.#used = false
    return used
  }

  append(views: readonly Uint8Array[], bytes: number): void {
    const fd = this.#descriptor()
    let written: number
    try {
      const only = views[0] as Uint8Array
      written =
        views.length === 1
          ? fs.writeSync(fd, only, 0, bytes, this.#size)
          : fs.writevSync(fd, views, this.#size)
    } catch (error) {
      this.#cutBack(fd)
      throw new StorageError(`cannot append to ${this.path}`, error)
    }
    if (written !== bytes) {
      this.#cutBack(fd)
      throw new StorageError(
        `cannot append to ${this.path}: ${written} of ${bytes} bytes were written`,
      )
    }
    this.#size += bytes
  }

  read(into: Uint8Array, at: number, length: number, position: number): number {
    const fd = this.#descriptor()
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
      fs.ftruncateSync(this.#descriptor(), size)
    } catch (error) {
      throw new StorageError(`cannot cut ${this.path}`, error)
    }
    this.#size = size
  }

  syncNow(): void {
    try {
      fs.fdatasyncSync(this.#descriptor())
    } catch (error) {
      throw new StorageError(`cannot flush ${this.path}`, error)
    }
  }

  sync(done: (error: Error | undefined) => void): void {
    let fd: number
    try {
      fd = this.#descriptor()
    } catch (error) {
      done(error as Error)
      return
    }
    this.#syncing++
    fs.fdatasync(fd, (error) => {
      this.#syncing--
      done(error ? new StorageError(`cannot flush ${this.path}`, error) : undefined)
    })
  }

  close(): void {
    if (this.#fd === -1) return
    const fd = this.#fd
    this.#fd = -1
    this.#files.closed(this)
    // A descriptor that a flush still uses is closed by the thread pool behind that flush.
    if (this.#syncing > 0) fs.fdatasync(fd, () => fs.close(fd, () => {}))
    else fs.closeSync(fd)
  }

  #descriptor(): number {
    this.#used = true
    if (this.#fd !== -1) return this.#fd
    try {
      this.#fd = fs.openSync(this.path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o644)
    } catch (error) {
      throw new StorageError(`cannot open ${this.path}`, error)
    }
    this.#files.opened(this)
    return this.#fd
  }

  #cutBack(fd: number): void {
    try {
      fs.ftruncateSync(fd, this.#size)
    } catch {
      // The next append writes over the torn bytes, and recovery cuts what is not a whole batch.
    }
  }
}
