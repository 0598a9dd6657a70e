/**
 * Partition directories in Kafka's layout: `<topic>-<partition>/<20 digits>.log`,
 * partition.metadata, and the log start offset in a checkpoint file of Kafka's form beside the
 * segments.
 */
import fs from 'node:fs'
import path from 'node:path'
import { assert } from '../base/assert.ts'
import { DiskSegmentFile, type OpenFiles } from './segment-file.ts'
import type { SegmentDirectory, SegmentFile, SegmentListing } from './storage.ts'
import { StorageError } from './storage-error.ts'

const SEGMENT_NAME = /^(\d{20})\.log$/
const METADATA_FILE = 'partition.metadata'
const START_OFFSET_FILE = 'log-start-offset-checkpoint'

/** `<topic>-<partition>`; the topic's name was validated when it was created, and is again here. */
export function partitionDirectoryName(topic: string, partition: number): string {
  assert(/^[a-zA-Z0-9._-]{1,249}$/.test(topic), `not a topic name: ${topic}`)
  assert(topic !== '.' && topic !== '..', 'a topic name never climbs')
  return `${topic}-${partition}`
}

/** Kafka's name of a segment: its base offset in 20 digits. */
export function segmentName(baseOffset: number): string {
  return `${String(baseOffset).padStart(20, '0')}.log`
}

export class DiskDirectory implements SegmentDirectory {
  readonly path: string
  readonly #files: OpenFiles
  readonly #open = new Map<number, DiskSegmentFile>()

  readonly #topicId: string

  /** Creates the directory if it is not there. */
  constructor(
    dataDir: string,
    topic: string,
    partition: number,
    topicId: string,
    files: OpenFiles,
  ) {
    this.path = path.join(dataDir, partitionDirectoryName(topic, partition))
    this.#files = files
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
      for (const name of fs.readdirSync(this.path)) {
        if (name.endsWith('.deleted')) fs.rmSync(path.join(this.path, name), { force: true })
        const match = SEGMENT_NAME.exec(name)
        if (match === null) continue
        const stat = fs.statSync(path.join(this.path, name))
        const baseOffset = Number(match[1])
        found.push({ baseOffset, size: stat.size, modifiedMs: stat.mtimeMs })
      }
    } catch (error) {
      throw new StorageError(`cannot list ${this.path}`, error)
    }
    return found.sort((a, b) => a.baseOffset - b.baseOffset)
  }

  open(baseOffset: number, size: number): SegmentFile {
    return this.#file(baseOffset, size)
  }

  /** A new segment. With the first one comes partition.metadata: topics without data stay cheap. */
  create(baseOffset: number): SegmentFile {
    if (!fs.existsSync(path.join(this.path, METADATA_FILE))) {
      this.#write(METADATA_FILE, `version: 0\ntopic_id: ${this.#topicId}\n`)
    }
    return this.#file(baseOffset, 0)
  }

  remove(baseOffset: number, delayMs: number): void {
    const file = this.#open.get(baseOffset)
    this.#open.delete(baseOffset)
    const from = path.join(this.path, segmentName(baseOffset))
    const to = `${from}.deleted`
    file?.close()
    try {
      fs.renameSync(from, to)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
      throw new StorageError(`cannot remove ${from}`, error)
    }
    setTimeout(() => fs.rm(to, { force: true }, () => {}), delayMs).unref()
  }

  readLogStartOffset(): number | undefined {
    try {
      const text = fs.readFileSync(path.join(this.path, START_OFFSET_FILE), 'utf8')
      const offset = Number(text.split('\n')[2]?.split(' ').at(-1))
      return Number.isSafeInteger(offset) ? offset : undefined
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw new StorageError(`cannot read the log start offset in ${this.path}`, error)
    }
  }

  writeLogStartOffset(offset: number): void {
    const name = path.basename(this.path)
    const dash = name.lastIndexOf('-')
    this.#write(
      START_OFFSET_FILE,
      `0\n1\n${name.slice(0, dash)} ${name.slice(dash + 1)} ${offset}\n`,
    )
  }

  /** Closes all descriptors. */
  close(): void {
    for (const file of this.#open.values()) file.close()
    this.#open.clear()
  }

  #file(baseOffset: number, size: number): DiskSegmentFile {
    const file = new DiskSegmentFile(
      path.join(this.path, segmentName(baseOffset)),
      size,
      this.#files,
    )
    this.#open.set(baseOffset, file)
    return file
  }

  /** Replaces a small file: a crash leaves the old one or the new one, whole. */
  #write(name: string, text: string): void {
    const target = path.join(this.path, name)
    const temporary = `${target}.tmp`
    try {
      const fd = fs.openSync(temporary, 'w', 0o644)
      fs.writeSync(fd, text)
      if (name === START_OFFSET_FILE) fs.fsyncSync(fd)
      fs.closeSync(fd)
      fs.renameSync(temporary, target)
    } catch (error) {
      throw new StorageError(`cannot write ${target}`, error)
    }
  }
}
