/** A file system that is soon full. */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/** A directory with a file system of its own. */
export interface SmallDisk {
  readonly directory: string
  unmount(): void
}

/** Mounts a file system of `bytes`. Undefined: none can be mounted here. */
export function mountSmallDisk(bytes: number): SmallDisk | undefined {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'odradek-full-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', directory])
  if (mounted.status !== 0) {
    fs.rmdirSync(directory)
    return undefined
  }
  const unmount = () => {
    spawnSync('umount', ['-l', directory])
    fs.rmdirSync(directory)
  }
  return { directory, unmount }
}
