/** Logs on disk: Kafka's directories for the segments, one LMDB environment for the index. */
import fs from 'node:fs'
import path from 'node:path'
import type { Log } from '../base/log.ts'
import { putAside } from './deleted-topics.ts'
import { DiskDirectory } from './directory.ts'
import { INDEX_DIRECTORY } from './index-check.ts'
import { LmdbOffsetIndex } from './offset-index.ts'
import { DirectoryRemovals, Removals } from './removals.ts'
import { OpenFiles } from './segment-file.ts'
import type { OffsetIndex, SegmentDirectory, Storage } from './storage.ts'

/** One thread's view of the data directory. */
export class DiskStorage implements Storage {
  readonly index: OffsetIndex
  readonly #dataDir: string
  readonly #files: OpenFiles
  readonly #removals = new Removals()
  readonly #directoryRemovals: DirectoryRemovals

  /**
   * `openFilesMax`: descriptors of segments that may be open at once. `durable`: the index is
   * flushed. Throws StorageError.
   */
  constructor(dataDir: string, openFilesMax: number, log: Log, durable = true) {
    this.#dataDir = dataDir
    this.#files = new OpenFiles(openFilesMax)
    this.#directoryRemovals = new DirectoryRemovals(log)
    this.index = openIndex(path.join(dataDir, INDEX_DIRECTORY), durable, log)
  }

  directory(topic: string, partition: number, topicId: string): SegmentDirectory {
    return new DiskDirectory(this.#dataDir, topic, partition, topicId, this.#files, this.#removals)
  }

  /** The name is free at once; the bytes go behind the back, or at the next start after a crash. */
  removePartition(topic: string, partition: number, topicId: string): void {
    const moved = putAside(this.#dataDir, topic, partition, topicId)
    if (moved !== undefined) this.#directoryRemovals.add(moved)
  }

  /** Removes what a crash left of deleted partitions. Called once at the start, by one thread. */
  removeDeletedPartitions(): void {
    for (const name of fs.readdirSync(this.#dataDir)) {
      if (!/-\d+\.[A-Za-z0-9_-]{22}-delete$/.test(name)) continue
      this.#directoryRemovals.add(path.join(this.#dataDir, name))
    }
  }

  async close(): Promise<void> {
    this.#removals.close()
    this.#directoryRemovals.close()
    await this.index.close()
  }
}

/** The index is derived: one that cannot be opened is put aside and rebuilt from the segments. */
function openIndex(directory: string, durable: boolean, log: Log): OffsetIndex {
  fs.mkdirSync(directory, { recursive: true })
  try {
    return new LmdbOffsetIndex(directory, durable)
  } catch (error) {
    log.warn('the index cannot be opened and is rebuilt from the segments', {
      error: (error as Error).message,
    })
    fs.rmSync(directory, { recursive: true, force: true })
    fs.mkdirSync(directory, { recursive: true })
    return new LmdbOffsetIndex(directory, durable)
  }
}
