/** Nothing outlives the thread. */
import { MemoryStorage } from '../storage/memory.ts'
import { MemoryMetadata } from '../storage/memory-metadata.ts'
import type { Metadata } from '../storage/metadata.ts'
import type { Storage } from '../storage/storage.ts'
import type { Keeping } from './keeping.ts'
import type { ThreadOptions } from './thread.ts'

export class MemoryKeeping implements Keeping {
  readonly #options: ThreadOptions

  constructor(options: ThreadOptions) {
    this.#options = options
  }

  metadata(): Metadata {
    const metadata = new MemoryMetadata(this.#options.config['odradek.cluster.id'] ?? undefined)
    metadata.beginStart()
    return metadata
  }

  storage(): Storage {
    return new MemoryStorage()
  }
}
