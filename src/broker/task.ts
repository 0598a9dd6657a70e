/** The work of a task thread, with the real codecs and files. */
import os from 'node:os'
import { workerData } from 'node:worker_threads'
import { crc32c } from '@node-rs/crc32'
import { runTask as run } from '../actors/clean-segments.ts'
import type { Task, TaskOutcome } from '../actors/mailbox/task.ts'
import { ConsideratePace } from '../actors/pace.ts'
import { createCodecs } from '../codecs/codecs.ts'
import { CounterReader } from '../ring/counters.ts'
import { DiskCleaningFiles } from '../storage/cleaning-files.ts'
import { ACCESSES, COUNTER_NAMES } from './thread-counters.ts'

/** What a task thread is told when it is made. */
export interface TaskThreadData {
  /** See `ThreadOptions`. */
  readonly counters: SharedArrayBuffer
}

/** Niceness of a task thread: a shard that wakes gets the processor at once. */
const NICENESS = 10

// Linux alone gives each thread a priority; elsewhere it would be that of the process.
if (process.platform === 'linux') os.setPriority(NICENESS)

const { counters } = workerData as TaskThreadData
const everywhere = new CounterReader(counters, COUNTER_NAMES)
const monotonicMs = () => performance.now()

const tools = {
  codecs: createCodecs(),
  crc32c: (bytes: Buffer) => crc32c(bytes),
  monotonicMs,
  pace: new ConsideratePace(monotonicMs, () => everywhere.sum(ACCESSES)),
  filesOf: (directory: string) => new DiskCleaningFiles(directory),
}

/** Does a task that another thread gave to the pool. */
export function runTask(task: Task): TaskOutcome {
  return run(task, tools)
}
