/**
 * Partition directories in Kafka's layout: `<topic>-<partition>/<20 digits>.log`,
 * partition.metadata, and the log start offset in a checkpoint file of Kafka's form beside the
 * segments.
 */
import fs from 'node:fs'
import path from 'node:path'
import { assert } from '../base/assert.ts'
import {
  CLEANED_SUFFIX,
  DELETED_SUFFIX,
  finishInterrupted,
  SWAP_SUFFIX,
  segmentName,
} from './cleaning-files.ts'
import type { Removals } from './removals.ts'
import { DiskSegmentFile, type OpenFiles } from './segment-file.ts'
import type { SegmentDirectory, SegmentFile, SegmentListing } from './storage.ts'
import { StorageError } from './storage-error.ts'

const SEGMENT_NAME = /^(\d{20})\.log$/
const METADATA_FILE = 'partition.metadata'
const START_OFFSET_FILE = 'log-start-offset-checkpoint'
const CLEANED_OFFSET_FILE = 'cleaner-offset-checkpoint'

/** `<topic>-<partition>`; the topic's name was validated when it was created, and is again here. */
export function partitionDirectoryName(topic: string, partition: number): string {
  assert(/^[a-zA-Z0-9._-]{1,249}$/.test(topic), `not a topic name: ${topic}`)
  assert(topic !== '.' && topic !== '..', 'a topic name never climbs')
  return `${topic}-${partition}`
}

export class DiskDirectory implements SegmentDirectory {
  readonly path: string
  readonly #files: OpenFiles
  readonly #open = new Map<number, DiskSegmentFile>()
  readonly #removals: Removals
  readonly #topicId: string

  /** Creates the directory if it is not there. */
  constructor(
    dataDir: string,
    topic: string,
    partition: number,
    topicId: string,
    files: OpenFiles,
    removals: Removals,
  ) {
    this.path = path.join(dataDir, partitionDirectoryName(topic, partition))
    this.#files = files
    this.#removals = removals
    this.#topicId = topicId
    try {
      fs.mkdirSync(this.path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return
      throw new StorageError(`cannot create ${this.path}`, error)
    }
  }

  list(): SegmentListing[] {
    const found: SegmentListing[] = []
    try {
      const swapped = finishInterrupted(this.path)
      for (const name of fs.readdirSync(this.path)) {
        const match = SEGMENT_NAME.exec(name)
        if (match === null) continue
        const stat = fs.statSync(path.join(this.path, name))
        const baseOffset = Number(match[1])
        const { size, mtimeMs: modifiedMs } = stat
        found.push({ baseOffset, size, modifiedMs, swapped: swapped.has(baseOffset) })
      }
    } catch (error) {
      throw new StorageError(`cannot list ${this.path}`, error)
    }
    return found.sort((a, b) => a.baseOffset - b.baseOffset)
  }

  open(baseOffset: number, size: number): SegmentFile {
    return this.#file(baseOffset, size, false)
  }

  /** A new segment. With the first one comes partition.metadata: topics without data stay cheap. */
  create(baseOffset: number): SegmentFile {
    if (!fs.existsSync(path.join(this.path, METADATA_FILE))) {
      this.#write(METADATA_FILE, `version: 0\ntopic_id: ${this.#topicId}\n`, false)
    }
    return this.#file(baseOffset, 0, true)
  }

  remove(baseOffset: number, delayMs: number): void {
    try {
      this.#putAside(baseOffset)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
      throw new StorageError(`cannot remove segment ${baseOffset} of ${this.path}`, error)
    }
    this.#removeAside(baseOffset, delayMs)
  }

  offerCleaned(baseOffset: number, done: (error: Error | undefined) => void): void {
    const target = this.#segmentPath(baseOffset)
    const answer = (error: unknown) =>
      done(error ? new StorageError(`cannot offer the compacted ${target}`, error) : undefined)
    try {
      fs.renameSync(`${target}${CLEANED_SUFFIX}`, `${target}${SWAP_SUFFIX}`)
    } catch (error) {
      answer(error)
      return
    }
    // Its name has to be on the disk before the first of the others goes; that takes its time.
    fs.open(this.path, 'r', (problem, fd) => {
      if (problem) answer(problem)
      else fs.fsync(fd, (error) => fs.close(fd, () => answer(error)))
    })
  }

  withdrawCleaned(baseOffset: number): void {
    fs.rmSync(`${this.#segmentPath(baseOffset)}${SWAP_SUFFIX}`, { force: true })
  }

  swapCleaned(bases: readonly number[], size: number): SegmentFile {
    const [base = 0] = bases
    const target = this.#segmentPath(base)
    try {
      for (const one of bases) this.#putAside(one)
      fs.renameSync(`${target}${SWAP_SUFFIX}`, target)
    } catch (error) {
      throw new StorageError(`cannot put the compacted ${target} into its place`, error)
    }
    return this.#file(base, size, false)
  }

  removeReplaced(bases: readonly number[], delayMs: number): void {
    for (const base of bases) this.#removeAside(base, delayMs)
  }

  readLogStartOffset(): number | undefined {
    return this.#readOffset(START_OFFSET_FILE)
  }

  writeLogStartOffset(offset: number, durable: boolean): void {
    this.#writeOffset(START_OFFSET_FILE, offset, durable)
  }

  readCleanedOffset(): number | undefined {
    return this.#readOffset(CLEANED_OFFSET_FILE)
  }

  writeCleanedOffset(offset: number): void {
    this.#writeOffset(CLEANED_OFFSET_FILE, offset, false)
  }

  /** Closes all descriptors. */
  close(): void {
    for (const file of this.#open.values()) file.close()
    this.#open.clear()
  }

  #file(baseOffset: number, size: number, isNew: boolean): DiskSegmentFile {
    const file = new DiskSegmentFile(this.#segmentPath(baseOffset), size, this.#files, isNew)
    this.#open.set(baseOffset, file)
    return file
  }

  #segmentPath(baseOffset: number): string {
    return path.join(this.path, segmentName(baseOffset))
  }

  /** Takes a segment's name away; its bytes stay. Throws the errors of the file system. */
  #putAside(baseOffset: number): void {
    const file = this.#open.get(baseOffset)
    this.#open.delete(baseOffset)
    file?.close()
    const from = this.#segmentPath(baseOffset)
    fs.renameSync(from, `${from}${DELETED_SUFFIX}`)
  }

  #removeAside(baseOffset: number, delayMs: number): void {
    this.#removals.later(`${this.#segmentPath(baseOffset)}${DELETED_SUFFIX}`, delayMs)
  }

  /** A checkpoint file of Kafka's form with the one line of this partition. */
  #readOffset(name: string): number | undefined {
    try {
      const text = fs.readFileSync(path.join(this.path, name), 'utf8')
      // Half a file, as a crash of Kafka may leave it, is none.
      const digits = / (\d{1,16})$/.exec(text.split('\n')[2] ?? '')?.[1]
      return digits === undefined ? undefined : Number(digits)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw new StorageError(`cannot read ${name} in ${this.path}`, error)
    }
  }

  #writeOffset(file: string, offset: number, durable: boolean): void {
    const name = path.basename(this.path)
    const dash = name.lastIndexOf('-')
    const line = `${name.slice(0, dash)} ${name.slice(dash + 1)} ${offset}`
    this.#write(file, `0\n1\n${line}\n`, durable)
  }

  /** Replaces a small file: a crash leaves the old one or the new one, whole. */
  #write(name: string, text: string, durable: boolean): void {
    const target = path.join(this.path, name)
    const temporary = `${target}.tmp`
    try {
      const fd = fs.openSync(temporary, 'w', 0o644)
      fs.writeSync(fd, text)
      if (durable) fs.fsyncSync(fd)
      fs.closeSync(fd)
      fs.renameSync(temporary, target)
    } catch (error) {
      throw new StorageError(`cannot write ${target}`, error)
    }
  }
}
