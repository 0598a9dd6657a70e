/**
 * The data directory as a whole: one living owner, whether it was left in order, and whether the
 * machine has run without a break since.
 */
import fs from 'node:fs'
import path from 'node:path'
import { StartError } from './start-error.ts'

const LOCK_FILE = '.lock'
const CLEAN_FILE = '.kafka_cleanshutdown'
const BOOT_FILE = path.join('odradek', 'boot-id')

/** An owned data directory. */
export interface DataDirectory {
  /** Absolute. */
  readonly path: string
  /** The last owner stopped in order. */
  readonly wasClean: boolean
  /**
   * The machine was not started anew since the last owner: what it wrote is in the page cache or on
   * disk.
   */
  readonly sameBoot: boolean
  /** Leaves the directory; `clean`: everything is on disk. */
  release(clean: boolean): void
}

/** Of a broker that keeps everything in memory. */
export const NO_DIRECTORY: DataDirectory = {
  path: '',
  wasClean: true,
  sameBoot: true,
  release() {},
}

/** Takes the directory, creating it if need be. Throws StartError. */
export function takeDataDirectory(directory: string): DataDirectory {
  const absolute = path.resolve(directory)
  try {
    fs.mkdirSync(path.join(absolute, 'odradek'), { recursive: true })
  } catch (error) {
    throw new StartError(`the data directory ${absolute} cannot be created: ${reason(error)}`)
  }
  const lock = path.join(absolute, LOCK_FILE)
  takeLock(lock, absolute)
  try {
    const wasClean = fs.existsSync(path.join(absolute, CLEAN_FILE))
    const bootId = readBootId()
    const sameBoot = bootId !== '' && readIfThere(path.join(absolute, BOOT_FILE)) === bootId
    fs.writeFileSync(path.join(absolute, BOOT_FILE), bootId)
    fs.rmSync(path.join(absolute, CLEAN_FILE), { force: true })
    const release = (clean: boolean) => {
      try {
        if (clean)
          fs.writeFileSync(path.join(absolute, CLEAN_FILE), '{"version":0,"brokerEpoch":-1}')
      } catch {
        // Without the mark the next start looks at the logs; a directory that is gone needs none.
      }
      fs.rmSync(lock, { force: true })
    }
    return { path: absolute, wasClean, sameBoot, release }
  } catch (error) {
    fs.rmSync(lock, { force: true })
    throw new StartError(`the data directory ${absolute} cannot be used: ${reason(error)}`)
  }
}

/**
 * The lock names its owner by process id and start time, so that a reused id is not taken for it.
 */
function takeLock(lock: string, directory: string): void {
  const mine = `${process.pid} ${processStat(process.pid).startTime} ${Math.random().toString(16).slice(2, 10).padEnd(8, '0')}\n`
  const temporary = `${lock}.${process.pid}.${mine.slice(-9, -1)}`
  try {
    fs.writeFileSync(temporary, mine)
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        // A link either makes the name or fails: two starters cannot both succeed.
        fs.linkSync(temporary, lock)
        return
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const owner = readIfThere(lock)
      const [pid, startTime] = owner.split(' ')
      if (isAlive(Number(pid), startTime ?? '')) {
        throw new StartError(
          `the data directory ${directory} is in use by the process ${pid}; choose another with --data-dir`,
        )
      }
      if (readIfThere(lock) === owner) fs.rmSync(lock, { force: true })
    }
    throw new StartError(`the data directory ${directory} is being taken by another process`)
  } catch (error) {
    if (error instanceof StartError) throw error
    throw new StartError(`the data directory ${directory} cannot be used: ${reason(error)}`)
  } finally {
    fs.rmSync(temporary, { force: true })
  }
}

function isAlive(pid: number, startTime: string): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  // A zombie was killed and only waits for its parent to look: it holds nothing any more.
  const { state, startTime: theirs } = processStat(pid)
  return theirs === startTime && state !== 'Z' && state !== 'X'
}

/**
 * State letter and start time (clock ticks since boot) of a process; '?' where the system does not
 * tell.
 */
function processStat(pid: number): { state: string; startTime: string } {
  // The command's name may hold spaces and parentheses: fields are counted from behind the last
  // one.
  const stat = readIfThere(`/proc/${pid}/stat`)
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0] || '?', startTime: fields[19] ?? '?' }
}

function readBootId(): string {
  return readIfThere('/proc/sys/kernel/random/boot_id').trim()
}

function readIfThere(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied'
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'it is not a directory'
  if (code === 'ENOSPC') return 'the disk is full'
  if (code === 'EROFS') return 'the file system is read-only'
  return message
}
