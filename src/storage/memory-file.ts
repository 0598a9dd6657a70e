/** One segment file in memory, and how operations fail when they are told to. */
import type { SegmentFile } from './storage.ts'
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
    | 'offer'
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

/** What a memory storage and its files share. */
export type Shell = Required<MemoryStorageOptions>

/** One file's bytes. Of [synced, size) a power loss may keep any part. */
export interface FileBytes {
  bytes: Buffer
  /** Bytes that were written, torn ones included. */
  size: number
  synced: number
  modifiedMs: number
}

/** One segment's bytes in memory. */
export class MemorySegmentFile implements SegmentFile {
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

/** Makes room for `bytes` in all. */
export function reserve(file: FileBytes, bytes: number): void {
  if (bytes <= file.bytes.length) return
  const grown = Buffer.alloc(Math.max(bytes, file.bytes.length * 2, 4096))
  file.bytes.copy(grown)
  file.bytes = grown
}

/** Throws StorageError when the operation is to fail. */
export function check(fault: Shell['fault'], operation: StorageOperation): void {
  const error = problem(fault, operation)
  if (error !== undefined) throw error
}

/** The error of an operation that is to fail. */
export function problem(
  fault: Shell['fault'],
  operation: StorageOperation,
): StorageError | undefined {
  const found = fault(operation)
  return found === undefined ? undefined : failure(operation.path, found.code)
}

/** A StorageError with the system's code. */
export function failure(path: string, code: string): StorageError {
  return new StorageError(`cannot use ${path}`, Object.assign(new Error(code), { code }))
}
