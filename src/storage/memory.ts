/**
 * Storage in memory: for tests, the simulation, and brokers that keep nothing. What a disk would
 * hold (`MemoryDisk`) outlives the storage that was opened over it, so that a crash can be played:
 * drop the storage, keep the disk, open another one. A hook decides which operations fail, and how.
 */

import {
  check,
  type FileBytes,
  failure,
  MemorySegmentFile,
  type MemoryStorageOptions,
  problem,
  reserve,
  type Shell,
  type StorageFault,
} from './memory-file.ts'
import { type IndexShelf, MemoryOffsetIndex } from './memory-index.ts'
import type {
  CleanedFile,
  CleaningFiles,
  SegmentDirectory,
  SegmentFile,
  SegmentListing,
  Storage,
} from './storage.ts'
import { StorageError } from './storage-error.ts'

interface DirectoryBytes {
  files: Map<number, FileBytes>
  /** Compacted segments before their swap. */
  cleaned: Map<number, FileBytes>
  /** Compacted segments whose predecessors were not removed for good yet. */
  swapped: Set<number>
  logStartOffset: number | undefined
  cleanedOffset: number | undefined
}

/** What the disk holds. One storage at a time works on it. */
export class MemoryDisk {
  readonly directories = new Map<string, DirectoryBytes>()
  readonly shelf: IndexShelf = new Map()

  /**
   * Loses what was not forced: each file keeps its forced bytes and, as `keep` says (0 to 1), a
   * part of the rest; of that part `scramble` may replace bytes in place, since pages go in any
   * order.
   */
  losePower(keep: () => number, scramble?: (unsynced: Buffer) => void): void {
    for (const directory of this.directories.values()) {
      for (const file of directory.files.values()) {
        const unsynced = Math.max(0, file.size - file.synced)
        file.size = Math.min(file.size, file.synced) + Math.round(unsynced * keep())
        if (file.size > file.synced) scramble?.(file.bytes.subarray(file.synced, file.size))
        file.synced = file.size
      }
    }
  }

  /** The bytes of a segment as they are now: a view, so that tests can damage them. */
  segment(topic: string, partition: number, baseOffset: number): Buffer {
    const file = this.directories.get(`${topic}-${partition}`)?.files.get(baseOffset)
    if (file === undefined) throw new StorageError(`no segment ${baseOffset}`)
    return file.bytes.subarray(0, file.size)
  }

  /** Puts a segment file where it was not, or in another's place. */
  putSegment(topic: string, partition: number, baseOffset: number, bytes: Uint8Array): void {
    const directory = this.directory(`${topic}-${partition}`)
    const { length } = bytes
    const file = { bytes: Buffer.from(bytes), size: length, synced: length, modifiedMs: 0 }
    directory.files.set(baseOffset, file)
  }

  /** The directory with this name, made when it is missing. */
  directory(name: string): DirectoryBytes {
    let directory = this.directories.get(name)
    if (directory === undefined) {
      directory = {
        files: new Map(),
        cleaned: new Map(),
        swapped: new Set(),
        logStartOffset: undefined,
        cleanedOffset: undefined,
      }
      this.directories.set(name, directory)
    }
    return directory
  }
}

const EMPTY = Buffer.alloc(0)

const DROPPED: StorageFault = { code: 'EIO' }

/** A storage over `disk`. After `drop` nothing that it handed out reaches the disk any more. */
export class MemoryStorage implements Storage {
  readonly index: MemoryOffsetIndex
  readonly #disk: MemoryDisk
  readonly #shell: Shell
  #dropped = false

  constructor(disk: MemoryDisk = new MemoryDisk(), options: MemoryStorageOptions = {}) {
    this.#disk = disk
    const defer = options.defer ?? queueMicrotask
    this.#shell = {
      // What is deferred belongs to this life of the process, and dies with it.
      defer: (then) => defer(() => this.#dropped || then()),
      fault: (operation) => (this.#dropped ? DROPPED : options.fault?.(operation)),
      wallMs: options.wallMs ?? (() => 0),
    }
    const { fault } = this.#shell
    this.index = new MemoryOffsetIndex(disk.shelf, this.#shell.defer, (path) =>
      problem(fault, { kind: 'index-write', path, bytes: 0 }),
    )
  }

  directory(topic: string, partition: number, _topicId: string): SegmentDirectory {
    const name = `${topic}-${partition}`
    return new MemoryDirectory(name, this.#disk.directory(name), this.#shell)
  }

  /** The files of the directory with this path, for a compaction. */
  cleaningFiles(path: string): CleaningFiles {
    return new MemoryCleaningFiles(path, this.#disk.directory(path), this.#shell)
  }

  removePartition(topic: string, partition: number, _topicId: string): void {
    const name = `${topic}-${partition}`
    check(this.#shell.fault, { kind: 'remove', path: name, bytes: 0 })
    this.#disk.directories.delete(name)
  }

  /** The process is gone: what was not finished never is, and nothing else reaches the disk. */
  drop(): void {
    this.#dropped = true
  }

  async close(): Promise<void> {
    await this.index.close()
  }
}

class MemoryDirectory implements SegmentDirectory {
  readonly path: string
  readonly #name: string
  readonly #directory: DirectoryBytes
  readonly #shell: Shell

  constructor(name: string, directory: DirectoryBytes, shell: Shell) {
    this.path = name
    this.#name = name
    this.#directory = directory
    this.#shell = shell
  }

  list(): SegmentListing[] {
    check(this.#shell.fault, { kind: 'list', path: this.#name, bytes: 0 })
    const { files, cleaned, swapped } = this.#directory
    const found: SegmentListing[] = []
    for (const [baseOffset, { size, modifiedMs }] of files) {
      found.push({ baseOffset, size, modifiedMs, swapped: swapped.has(baseOffset) })
    }
    cleaned.clear()
    swapped.clear()
    return found.sort((a, b) => a.baseOffset - b.baseOffset)
  }

  open(baseOffset: number, size: number): SegmentFile {
    return new MemorySegmentFile(`${this.#name}/${baseOffset}`, size, this.#shell, () =>
      this.#directory.files.get(baseOffset),
    )
  }

  /** As on disk the file comes to be with its first bytes. */
  create(baseOffset: number): SegmentFile {
    const { files } = this.#directory
    let fresh = true
    return new MemorySegmentFile(`${this.#name}/${baseOffset}`, 0, this.#shell, () => {
      if (fresh) files.set(baseOffset, { bytes: EMPTY, size: 0, synced: 0, modifiedMs: 0 })
      fresh = false
      return files.get(baseOffset)
    })
  }

  remove(baseOffset: number, _delayMs: number): void {
    check(this.#shell.fault, { kind: 'remove', path: this.#name, bytes: 0 })
    this.#directory.files.delete(baseOffset)
  }

  offerCleaned(_baseOffset: number, done: (error: Error | undefined) => void): void {
    const { fault, defer } = this.#shell
    defer(() => done(problem(fault, { kind: 'offer', path: this.#name, bytes: 0 })))
  }

  withdrawCleaned(baseOffset: number): void {
    this.#directory.cleaned.delete(baseOffset)
  }

  swapCleaned(bases: readonly number[], size: number): SegmentFile {
    check(this.#shell.fault, { kind: 'swap', path: this.#name, bytes: 0 })
    const { files, cleaned, swapped } = this.#directory
    const [base = 0] = bases
    const file = cleaned.get(base)
    if (file === undefined) throw failure(`${this.#name}/${base}`, 'ENOENT')
    for (const one of bases) files.delete(one)
    files.set(base, file)
    cleaned.delete(base)
    swapped.add(base)
    return this.open(base, size)
  }

  removeReplaced(bases: readonly number[], _delayMs: number): void {
    for (const base of bases) this.#directory.swapped.delete(base)
  }

  readLogStartOffset(): number | undefined {
    return this.#directory.logStartOffset
  }

  writeLogStartOffset(offset: number, _durable: boolean): void {
    check(this.#shell.fault, { kind: 'write-start', path: this.#name, bytes: 0 })
    this.#directory.logStartOffset = offset
  }

  readCleanedOffset(): number | undefined {
    return this.#directory.cleanedOffset
  }

  writeCleanedOffset(offset: number): void {
    check(this.#shell.fault, { kind: 'write-cleaned', path: this.#name, bytes: 0 })
    this.#directory.cleanedOffset = offset
  }
}

class MemoryCleaningFiles implements CleaningFiles {
  readonly #name: string
  readonly #directory: DirectoryBytes
  readonly #shell: Shell

  constructor(name: string, directory: DirectoryBytes, shell: Shell) {
    this.#name = name
    this.#directory = directory
    this.#shell = shell
  }

  read(baseOffset: number, into: Uint8Array, length: number, position: number): number {
    check(this.#shell.fault, { kind: 'read', path: `${this.#name}/${baseOffset}`, bytes: length })
    const file = this.#directory.files.get(baseOffset)
    if (file === undefined) throw failure(`${this.#name}/${baseOffset}`, 'ENOENT')
    const n = Math.max(0, Math.min(length, file.size - position))
    into.set(file.bytes.subarray(position, position + n))
    return n
  }

  create(baseOffset: number): CleanedFile {
    const { cleaned } = this.#directory
    const path = `${this.#name}/${baseOffset}.cleaned`
    const fault = this.#shell.fault
    const file: FileBytes = { bytes: EMPTY, size: 0, synced: 0, modifiedMs: 0 }
    cleaned.set(baseOffset, file)
    return {
      append(bytes) {
        check(fault, { kind: 'append', path, bytes: bytes.length })
        reserve(file, file.size + bytes.length)
        file.bytes.set(bytes, file.size)
        file.size += bytes.length
      },
      finish(modifiedMs) {
        check(fault, { kind: 'sync', path, bytes: 0 })
        file.synced = file.size
        file.modifiedMs = modifiedMs
      },
      discard() {
        cleaned.delete(baseOffset)
      },
    }
  }

  close(): void {
    // Nothing is open.
  }
}
