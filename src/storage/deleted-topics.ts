/** The directories of deleted topics: their names are free at once, their bytes go later. */
import fs from 'node:fs'
import path from 'node:path'
import { partitionDirectoryName } from './directory.ts'
import type { DeletedTopicFiles } from './metadata.ts'
import { StorageError } from './storage-error.ts'

/** How the directory of a deleted partition ends. */
const DELETED_SUFFIX = '-delete'

/**
 * Gives the partition's directory a name that says that it is deleted; `undefined`: there is none.
 */
export function putAside(
  dataDir: string,
  topic: string,
  partition: number,
  topicId: string,
): string | undefined {
  const from = path.join(dataDir, partitionDirectoryName(topic, partition))
  const to = path.join(dataDir, `${topic.slice(0, 200)}-${partition}.${topicId}${DELETED_SUFFIX}`)
  try {
    fs.renameSync(from, to)
    return to
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new StorageError(`cannot remove ${from}`, error)
  }
}

/**
 * Puts aside the directories of deleted topics that a crash left under their old names, durably. To
 * be called before any partition is opened: a new topic may have the name. Throws StorageError.
 */
export function putDeletedTopicsAside(dataDir: string, topics: readonly DeletedTopicFiles[]): void {
  if (topics.length === 0) return
  for (const { name, id, partitions } of topics) {
    for (let partition = 0; partition < partitions; partition++) {
      const directory = path.join(dataDir, partitionDirectoryName(name, partition))
      const owner = topicIdIn(directory)
      const isItsOwn = owner === id || (owner === undefined && holdsNothing(directory))
      if (isItsOwn) putAside(dataDir, name, partition, id)
    }
  }
  syncDirectory(dataDir)
}

/** The topic id in a directory's partition.metadata; `undefined`: there is none. */
function topicIdIn(directory: string): string | undefined {
  try {
    const text = fs.readFileSync(path.join(directory, 'partition.metadata'), 'utf8')
    return /^topic_id: (.+)$/m.exec(text)?.[1]
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new StorageError(`cannot read partition.metadata in ${directory}`, error)
  }
}

/** A directory gets its topic id with its first segment. */
function holdsNothing(directory: string): boolean {
  try {
    return !fs.readdirSync(directory).some((name) => name.endsWith('.log'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw new StorageError(`cannot list ${directory}`, error)
  }
}

/** Forces the names in a directory to the disk. */
function syncDirectory(directory: string): void {
  try {
    const fd = fs.openSync(directory, 'r')
    fs.fsyncSync(fd)
    fs.closeSync(fd)
  } catch (error) {
    throw new StorageError(`cannot flush ${directory}`, error)
  }
}
