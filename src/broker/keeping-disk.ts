/** Everything lies in the data directory. */
import path from 'node:path'
import type { Log } from '../base/log.ts'
import { putDeletedTopicsAside } from '../storage/deleted-topics.ts'
import { DiskStorage } from '../storage/disk.ts'
import type { Metadata } from '../storage/metadata.ts'
import { openMetadataStore } from '../storage/metadata-store.ts'
import type { Storage } from '../storage/storage.ts'
import type { Keeping } from './keeping.ts'
import type { ThreadOptions } from './thread.ts'

export class DiskKeeping implements Keeping {
  readonly #options: ThreadOptions
  readonly #log: Log

  constructor(options: ThreadOptions, log: Log) {
    this.#options = options
    this.#log = log
  }

  metadata(): Metadata {
    const { dataDir, config, restarted, durable } = this.#options
    const directory = path.join(dataDir, 'odradek', 'metadata')
    const clusterId = config['odradek.cluster.id'] ?? undefined
    const store = openMetadataStore(directory, clusterId, durable)
    // Leader epochs rise with each start of the broker, not with each of this thread.
    if (restarted) return store
    store.beginStart()
    const deleted = store.deletedTopics()
    putDeletedTopicsAside(dataDir, deleted)
    store.forgetDeleted(deleted)
    return store
  }

  storage(): Storage {
    const { dataDir, config, thread, durable } = this.#options
    const openFilesMax = config['odradek.open.segments.max']
    const storage = new DiskStorage(dataDir, openFilesMax, this.#log, durable)
    if (thread === 0) storage.removeDeletedPartitions()
    return storage
  }
}
