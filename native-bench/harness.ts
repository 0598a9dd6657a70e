/**
 * How a bench is written: tasks that name the physical limit which they are to be compared with.
 */
import fs from 'node:fs'
import path from 'node:path'
import { Bench } from 'tinybench'

export const KIB = 1024
export const MIB = 1024 * KIB

/** What one bench measures. */
export interface Task {
  readonly name: string
  /** Bytes that one operation moves; two tasks with bytes are compared by bytes. */
  readonly bytes?: number
  /** Operations in one call of `run`, where one alone is shorter than the clock can tell. */
  readonly times?: number
  /** Name of the limit. */
  readonly limit?: string
  run(): void | Promise<void | Duration>
}

/** What was measured, in ms, where it is not all of `run`. */
export interface Duration {
  readonly overriddenDuration: number
}

/** A bench: its tasks, and how to give back what they hold. */
export interface Suite {
  readonly tasks: readonly Task[]
  close?(): void | Promise<void>
}

/** What a bench is given. */
export interface Place {
  /** An empty directory on the disk that is measured. */
  readonly directory: string
}

/** What was measured: nanoseconds of one operation. */
export interface Row {
  readonly name: string
  readonly bytes: number | undefined
  readonly medianNs: number
  readonly p99Ns: number
  readonly calls: number
  readonly limit: string | undefined
}

/** Runs the tasks one after the other, each for about `timeMs`. */
export async function measure(tasks: readonly Task[], timeMs: number): Promise<Row[]> {
  const rows: Row[] = []
  for (const task of tasks) {
    const bench = new Bench({ time: timeMs, warmupTime: timeMs / 4, iterations: 10 })
    // Said here, since tinybench finds out by a call that it does not await.
    const first = task.run()
    await first
    bench.add(task.name, () => task.run(), { async: first instanceof Promise })
    await bench.run()
    const result = bench.tasks[0]?.result
    if (result?.state !== 'completed') {
      throw new Error(`${task.name} did not end`, { cause: result })
    }
    const perOperation = 1e6 / (task.times ?? 1)
    rows.push({
      name: task.name,
      bytes: task.bytes,
      medianNs: result.latency.p50 * perOperation,
      p99Ns: result.latency.p99 * perOperation,
      calls: result.latency.samplesCount,
      limit: task.limit,
    })
  }
  return rows
}

/**
 * A file that only grows, as a segment does, and starts again at `bytesMax`: writing over pages
 * that are there already would be cheaper than what a log does.
 */
export class GrowingFile {
  readonly fd: number
  readonly #bytesMax: number
  #at = 0

  constructor(directory: string, name: string, bytesMax = 64 * MIB) {
    this.fd = fs.openSync(path.join(directory, name), 'w+')
    this.#bytesMax = bytesMax
  }

  append(bytes: Uint8Array): void {
    if (this.#at + bytes.length > this.#bytesMax) {
      fs.ftruncateSync(this.fd, 0)
      this.#at = 0
    }
    fs.writeSync(this.fd, bytes, 0, bytes.length, this.#at)
    this.#at += bytes.length
  }

  close(): void {
    fs.closeSync(this.fd)
  }
}
