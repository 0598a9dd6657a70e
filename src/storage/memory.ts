/**
 * Storage in memory: for tests, the simulation, and brokers that keep nothing. What a disk would
 * hold (`MemoryDisk`) outlives the storage that was opened over it, so that a crash can be played:
 * drop the storage, keep the disk, open another one. A hook decides which operations fail, and how.
 */

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

/**
 * What is about to be done. `path`: `<topic>-<partition>/<base offset>`, or the directory alone.
 */
export interface StorageOperation {
  kind:
    | 'append'
    | 'read'
    | 'sync'
    | 'truncate'
    | 'remove'
    | 'list'
    | 'swap'
    | 'write-start'
    | 'write-cleaned'
    | 'index-write'
  path: string
  /** Bytes to write or read; 0 where it does not apply. */
  bytes: number
}

/** How an operation fails. */
export interface StorageFault {
  /** The operating system's code: ENOSPC, EIO, … */
  code: string
  /** Of an append: so many bytes reach the file before it fails. */
  landed?: number
  /** Of an append: cutting the file back fails as well, so the landed bytes stay behind its end. */
  stays?: boolean
}

/** What surrounds a memory storage. */
export interface MemoryStorageOptions {
  /** Runs what a disk would finish later (flushes, index transactions). Default: a microtask. */
  defer?: (then: () => void) => void
  /** Asked before each operation; `undefined`: it succeeds. */
  fault?: (operation: StorageOperation) => StorageFault | undefined
  /** Wall time, ms: modification times of segments. Default: 0. */
  wallMs?: () => number
}

/** One file's bytes. Of [synced, size) a power loss may keep any part. */
interface FileBytes {
  bytes: Buffer
  /** Bytes that were written, torn ones included. */
  size: number
  synced: number
  modifiedMs: number
}

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

type Shell = Required<MemoryStorageOptions>

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

class MemorySegmentFile implements SegmentFile {
  readonly #path: string
  readonly #shell: Shell
  readonly #file: () => FileBytes | undefined
  #size: number

  constructor(path: string, size: number, shell: Shell, file: () => FileBytes | undefined) {
    this.#path = path
    this.#size = size
    this.#shell = shell
    this.#file = file
  }

  get size(): number {
    return this.#size
  }

  append(views: readonly Uint8Array[], bytes: number): void {
    const file = this.#found()
    const fault = this.#shell.fault({ kind: 'append', path: this.#path, bytes })
    const landed = Math.min(bytes, fault === undefined ? bytes : (fault.landed ?? 0))
    reserve(file, this.#size + landed)
    let at = this.#size
    for (const view of views) {
      const n = Math.min(view.length, this.#size + landed - at)
      file.bytes.set(view.subarray(0, n), at)
      at += n
    }
    file.modifiedMs = this.#shell.wallMs()
    if (fault === undefined || fault.stays) file.size = Math.max(file.size, at)
    else file.size = this.#size
    if (fault !== undefined) throw failure(this.#path, fault.code)
    this.#size = at
  }

  read(into: Uint8Array, at: number, length: number, position: number): number {
    const file = this.#found()
    check(this.#shell.fault, { kind: 'read', path: this.#path, bytes: length })
    const n = Math.max(0, Math.min(length, file.size - position))
    into.set(file.bytes.subarray(position, position + n), at)
    return n
  }

  truncate(size: number): void {
    const file = this.#found()
    check(this.#shell.fault, { kind: 'truncate', path: this.#path, bytes: 0 })
    file.size = size
    file.synced = Math.min(file.synced, size)
    this.#size = size
  }

  syncNow(): void {
    const file = this.#found()
    check(this.#shell.fault, { kind: 'sync', path: this.#path, bytes: 0 })
    file.synced = this.#size
  }

  sync(done: (error: Error | undefined) => void): void {
    const file = this.#file()
    const covered = this.#size
    this.#shell.defer(() => {
      const error = problem(this.#shell.fault, { kind: 'sync', path: this.#path, bytes: 0 })
      if (error === undefined && file !== undefined) {
        file.synced = Math.max(file.synced, Math.min(covered, file.size))
      }
      done(error)
    })
  }

  close(): void {
    // Nothing is open.
  }

  #found(): FileBytes {
    const file = this.#file()
    if (file === undefined) throw failure(this.#path, 'ENOENT')
    return file
  }
}

function reserve(file: FileBytes, bytes: number): void {
  if (bytes <= file.bytes.length) return
  const grown = Buffer.alloc(Math.max(bytes, file.bytes.length * 2, 4096))
  file.bytes.copy(grown)
  file.bytes = grown
}

function check(fault: Shell['fault'], operation: StorageOperation): void {
  const error = problem(fault, operation)
  if (error !== undefined) throw error
}

function problem(fault: Shell['fault'], operation: StorageOperation): StorageError | undefined {
  const found = fault(operation)
  return found === undefined ? undefined : failure(operation.path, found.code)
}

function failure(path: string, code: string): StorageError {
  return new StorageError(`cannot use ${path}`, Object.assign(new Error(code), { code }))
}
