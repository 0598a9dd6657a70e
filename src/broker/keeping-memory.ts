/** Nothing outlives the thread. */
import { crc32c } from '@node-rs/crc32'
import { runTask } from '../actors/clean-segments.ts'
import type { Task, TaskOutcome } from '../actors/mailbox/task.ts'
import { WITHOUT_PAUSES } from '../actors/pace.ts'
import { createCodecs } from '../codecs/codecs.ts'
import { MemoryStorage } from '../storage/memory.ts'
import { MemoryMetadata } from '../storage/memory-metadata.ts'
import type { Metadata } from '../storage/metadata.ts'
import type { Storage } from '../storage/storage.ts'
import type { Keeping } from './keeping.ts'
import type { ThreadOptions } from './thread.ts'

export class MemoryKeeping implements Keeping {
  readonly #options: ThreadOptions
  readonly #storage = new MemoryStorage()

  constructor(options: ThreadOptions) {
    this.#options = options
  }

  metadata(): Metadata {
    const metadata = new MemoryMetadata(this.#options.config['odradek.cluster.id'] ?? undefined)
    metadata.beginStart()
    return metadata
  }

  storage(): Storage {
    return this.#storage
  }

  async runTask(task: Task): Promise<TaskOutcome> {
    const tools = {
      codecs: createCodecs(),
      crc32c: (bytes: Buffer) => crc32c(bytes),
      monotonicMs: () => performance.now(),
      // It holds up its thread: what one waits for another's sake would be waited for by all.
      pace: WITHOUT_PAUSES,
      filesOf: (directory: string) => this.#storage.cleaningFiles(directory),
    }
    return runTask({ ...task, bytesPerSecondMax: Number.MAX_VALUE }, tools)
  }
}
