/**
 * The code of the first worker, compiled by the thread that starts it. Node takes a while to make a
 * worker, and that thread has nothing to do meanwhile; the worker would compile for as long again.
 * With one core nothing is gained, and the worker does it.
 *
 *   memory   int32 at 0: PENDING, FAILED or the bytes of code; code from CODE_AT on.
 *            Written once by the starting thread, read by the worker when it is not PENDING.
 */
import { readFileSync, statSync } from 'node:fs'
import Module from 'node:module'
import { availableParallelism } from 'node:os'
import { Script } from 'node:vm'
import type { CompiledFile } from './code-loader.ts'

const PENDING = 0
const FAILED = -1
const CODE_AT = 8
/** The starting thread does nothing else meanwhile; if it is stopped, the worker compiles. */
const WAIT_MS = 200

/** A file that is being compiled. */
export interface CodeAhead {
  readonly file: string
  readonly modifiedMs: number
  readonly memory: SharedArrayBuffer
}

/** Place for the code of `file`; undefined where it is not worth while to compile it ahead. */
export function planCode(file: string): CodeAhead | undefined {
  const stat = statSync(file, { throwIfNoEntry: false })
  if (stat === undefined || availableParallelism() < 2) return undefined
  // What V8 makes of a file before it runs is smaller than its source.
  const memory = new SharedArrayBuffer(CODE_AT + stat.size)
  return { file, modifiedMs: stat.mtimeMs, memory }
}

/** Compiles, and tells who waits; answers the code for later workers. On the starting thread. */
export function compileCode(ahead: CodeAhead): CompiledFile | undefined {
  const { file, memory } = ahead
  const state = new Int32Array(memory, 0, 1)
  let bytes = FAILED
  try {
    const script = new Script(Module.wrap(readFileSync(file, 'latin1')), { filename: file })
    const code = script.createCachedData()
    new Uint8Array(memory, CODE_AT).set(code)
    bytes = code.length
  } catch {
    // The worker compiles it, and says what is wrong.
  }
  Atomics.store(state, 0, bytes)
  Atomics.notify(state, 0)
  return finished(ahead)
}

/** Waits for the code; undefined: compile it. On the worker. */
export function awaitCode(ahead: CodeAhead): CompiledFile | undefined {
  Atomics.wait(new Int32Array(ahead.memory, 0, 1), 0, PENDING, WAIT_MS)
  return finished(ahead)
}

function finished({ file, modifiedMs, memory }: CodeAhead): CompiledFile | undefined {
  const bytes = Atomics.load(new Int32Array(memory, 0, 1), 0)
  if (bytes <= 0) return undefined
  return {
    file,
    modifiedMs,
    code: new Uint8Array(memory, CODE_AT, bytes),
    hasRun: false,
    required: {},
  }
}
