/**
 * Where a thread keeps its logs and, on the coordinator's thread, the metadata: on disk or in
 * memory. The code of the other kind is not loaded: LMDB takes longer than the rest of the broker.
 */
import type { RunTask } from '../actors/mailbox/task.ts'
import type { Log } from '../base/log.ts'
import type { Metadata } from '../storage/metadata.ts'
import type { Storage } from '../storage/storage.ts'
import type { ThreadOptions } from './thread.ts'

/** What a thread keeps things in; each is opened when it is asked for. Both throw StorageError. */
export interface Keeping {
  /** On the coordinator's thread only, before `storage`. */
  metadata(): Metadata
  storage(): Storage
  /** Does work on segments here, where no other thread can read them; absent: the pool does it. */
  readonly runTask?: RunTask
}

/** Loads the code of the kind that `options` want. */
export async function keepingOf(options: ThreadOptions, log: Log): Promise<Keeping> {
  if (options.inMemory) {
    const { MemoryKeeping } = await import('./keeping-memory.ts')
    return new MemoryKeeping(options)
  }
  const { DiskKeeping } = await import('./keeping-disk.ts')
  return new DiskKeeping(options, log)
}

/** Loads the code of the disk ahead of its use. */
export function preloadDisk(): void {
  void import('./keeping-disk.ts')
}
