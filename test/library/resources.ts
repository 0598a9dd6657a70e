/** What this process holds of the system, as far as the system tells. */
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { queryObjects } from 'node:v8'
import { pause } from '../support/seeded.ts'

const LOOK_MS = 10
const LOOKS_MAX = 500
/** What the last one of a campaign used may still lie on somebody's stack. */
const SHARED_SLACK = 40

/** Counts; undefined where the system does not tell. */
export interface Resources {
  readonly threads: number | undefined
  readonly descriptors: number | undefined
  /** What Node counts as open: ports, sockets, timers, requests. */
  readonly handles: readonly string[]
  /** What lies in the directory for temporary files. */
  readonly temporary: readonly string[]
  /** Pieces of shared memory that somebody holds: each connection has five for each of its ends. */
  readonly shared: number
  readonly residentMiB: number
}

/**
 * From now on temporary directories of this process are made inside one of its own, where those of
 * others cannot be taken for them. It is removed with the process.
 */
export function keepTemporaryApart(): void {
  const own = fs.mkdtempSync(join(tmpdir(), 'lives-'))
  process.env['TMPDIR'] = own
  process.once('exit', () => fs.rmSync(own, { recursive: true, force: true }))
}

/** Looks now. */
export function resourcesNow(): Resources {
  return {
    threads: countOf('/proc/self/task'),
    descriptors: countOf('/proc/self/fd'),
    handles: process.getActiveResourcesInfo().sort(),
    temporary: fs.readdirSync(tmpdir()),
    shared: queryObjects(SharedArrayBuffer, { format: 'count' }),
    residentMiB: Math.round(process.memoryUsage.rss() / 2 ** 20),
  }
}

/**
 * What there is and was not before, in words, once it had time to go: the system counts a thread
 * for a moment after it has ended. Memory is not judged here: it depends on when the system takes
 * it back.
 */
export async function leakedSince(before: Resources): Promise<string[]> {
  let faults = leaked(before, resourcesNow())
  for (let look = 0; faults.length > 0 && look < LOOKS_MAX; look++) {
    await pause(LOOK_MS)
    faults = leaked(before, resourcesNow())
  }
  return faults
}

function leaked(before: Resources, now: Resources): string[] {
  const faults: string[] = []
  for (const what of ['threads', 'descriptors'] as const) {
    if ((now[what] ?? 0) > (before[what] ?? 0)) {
      faults.push(`${what}: ${now[what]}, were ${before[what]}`)
    }
  }
  if (now.shared > before.shared + SHARED_SLACK) {
    faults.push(`shared memory: ${now.shared} pieces, were ${before.shared}`)
  }
  const handles = without(now.handles, before.handles)
  if (handles.length > 0) faults.push(`handles: ${handles.join(', ')}`)
  const temporary = without(now.temporary, before.temporary)
  if (temporary.length > 0) faults.push(`directories: ${temporary.join(', ')}`)
  return faults
}

function without(list: readonly string[], others: readonly string[]): string[] {
  const left = [...others]
  return list.filter((one) => {
    const at = left.indexOf(one)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
}

function countOf(directory: string): number | undefined {
  try {
    return fs.readdirSync(directory).length
  } catch {
    return undefined
  }
}
