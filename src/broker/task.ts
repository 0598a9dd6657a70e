/** The work of a task thread, with the real codecs and files. */
import { crc32c } from '@node-rs/crc32'
import { runTask as run } from '../actors/clean-segments.ts'
import type { Task, TaskOutcome } from '../actors/mailbox/task.ts'
import { createCodecs } from '../codecs/codecs.ts'
import { DiskCleaningFiles } from '../storage/cleaning-files.ts'

const tools = {
  codecs: createCodecs(),
  crc32c: (bytes: Buffer) => crc32c(bytes),
  monotonicMs: () => performance.now(),
  filesOf: (directory: string) => new DiskCleaningFiles(directory),
}

/** Does a task that another thread gave to the pool. */
export function runTask(task: Task): TaskOutcome {
  return run(task, tools)
}
