/**
 * Compiled code that the workers of one process hand on. Each worker is a V8 of its own, which
 * parses and compiles the broker's code anew: more than half of what its start takes. A worker that
 * stops therefore gives what V8 made of it, with the functions that ran, and later workers begin
 * with that. V8 takes it only for the same version, flags and length of source, and otherwise
 * compiles as ever; what was not taken is given anew. With it goes where the code found what it
 * requires, which Node looks for in many places. Nothing is written to files.
 *
 * Node has this for files only (module.enableCompileCache, from 22.1 on), so a worker's `_compile`
 * is replaced, which many packages did before Node had it, and its `_resolveFilename`, which they
 * still do. No code of users runs in a worker.
 */
import { readFileSync, statSync } from 'node:fs'
import Module, { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { constants, Script } from 'node:vm'
import { awaitCode, type CodeAhead } from './code-ahead.ts'
import { borrowCode, type CodeQuestion } from './code-lending.ts'

/** What V8 made of one file. */
export interface CompiledFile {
  readonly file: string
  readonly modifiedMs: number
  /** In shared memory: no worker needs a copy. */
  readonly code: Uint8Array
  /** It has the functions that ran. Otherwise it is what is known before the file runs. */
  readonly hasRun: boolean
  /** The file of each module that it required, by the name that it said. */
  readonly required: Readonly<Record<string, string>>
}

/** The code of a worker: beside this in the bundle, in its own file otherwise. */
const bundled = import.meta.url.endsWith('.cjs')
const WORKER = new URL(bundled ? './worker.cjs' : './worker.js', import.meta.url)

/** What that code requires in any case, and what it requires of the disk. */
const PACKAGES = ['@node-rs/crc32']
const DISK_PACKAGES = ['lmdb']

/** What a worker is made with. */
export interface WorkerCode {
  /** It loads the code of the disk before anybody asks for it. */
  readonly preloadsDisk: boolean
  /** What others compiled. */
  readonly code: readonly CompiledFile[]
  /** What is being compiled for it. */
  readonly ahead: CodeAhead | undefined
  /** Asks one that serves for what it compiled. */
  readonly lent: CodeQuestion | undefined
}

interface Fresh {
  readonly script: Script
  readonly modifiedMs: number
}

interface CompilingModule {
  _compile(this: NodeJS.Module, content: string, file: string, format?: string): unknown
}

interface ResolvingModule {
  _resolveFilename(
    name: string,
    parent?: NodeJS.Module | null,
    isMain?: boolean,
    options?: object,
  ): string
}

/** Loads the code of one worker. Lives there, in the worker's first file. */
export class CodeLoader {
  readonly #known = new Map<string, CompiledFile>()
  /** Compiled here without the help of others, and not made into code to give yet. */
  readonly #fresh = new Map<string, Fresh>()
  readonly #given = new Map<string, CompiledFile>()
  /** What each file that was compiled here required so far. */
  readonly #required = new Map<string, Record<string, string>>()

  readonly #parts: WorkerCode

  constructor(parts: WorkerCode) {
    this.#parts = parts
    for (const one of parts.code) this.#known.set(one.file, one)
  }

  /** Loads the worker's code, and from now on all modules that it requires. */
  load(): Promise<typeof import('./worker.ts')> {
    if (!bundled) return import(WORKER.href)
    const prototype = Module.prototype as unknown as CompilingModule
    const compileAsEver = prototype._compile
    const loader = this
    prototype._compile = function (content, file, format) {
      const modifiedMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs
      if (format === 'module' || content.startsWith('#!') || modifiedMs === undefined) {
        return compileAsEver.call(this, content, file, format)
      }
      const run = loader.#compile(content, file, modifiedMs).runInThisContext()
      const { exports } = this
      return run.call(exports, exports, createRequire(file), this, file, dirname(file))
    }
    this.#rememberFound()
    const require = createRequire(WORKER)
    const { lent } = this.#parts
    if (lent !== undefined) for (const one of borrowCode(lent)) this.#known.set(one.file, one)
    this.#takeAhead(require)
    return Promise.resolve(this.#loadWorker())
  }

  /** What was compiled here without the help of others. */
  give(): CompiledFile[] {
    for (const [file, { script, modifiedMs }] of this.#fresh) {
      const code = shared(script.createCachedData())
      const required = { ...this.#required.get(file) }
      this.#given.set(file, { file, modifiedMs, code, hasRun: true, required })
    }
    this.#fresh.clear()
    return [...this.#given.values()]
  }

  /** Finds what a file requires where it was found before. */
  #rememberFound(): void {
    const resolving = Module as unknown as ResolvingModule
    const resolveAsEver = resolving._resolveFilename
    resolving._resolveFilename = (name, parent, isMain, options) => {
      const isPlain = options === undefined
      const required = isPlain ? this.#required.get(parent?.filename ?? '') : undefined
      const known = required?.[name]
      if (known !== undefined) return known
      const found = resolveAsEver.call(Module, name, parent, isMain, options)
      if (required !== undefined) required[name] = found
      return found
    }
  }

  /** The bundle is ASCII, which is read in half the time that UTF-8 takes. */
  #loadWorker(): typeof import('./worker.ts') {
    const file = fileURLToPath(WORKER)
    const module = new Module(file)
    module.filename = file
    const compiling = module as unknown as CompilingModule
    compiling._compile.call(module, readFileSync(file, 'latin1'), file)
    return module.exports
  }

  /** Loads packages while the code that needs them is compiled elsewhere. */
  #takeAhead(require: NodeJS.Require): void {
    const { ahead, preloadsDisk } = this.#parts
    if (ahead === undefined) return
    for (const name of PACKAGES) require(name)
    if (preloadsDisk) for (const name of DISK_PACKAGES) require(name)
    const code = awaitCode(ahead)
    if (code !== undefined) this.#known.set(code.file, code)
  }

  #compile(content: string, file: string, modifiedMs: number): Script {
    const handed = this.#known.get(file)
    const known = handed?.modifiedMs === modifiedMs ? handed : undefined
    this.#required.set(file, { ...known?.required })
    const script = new Script(Module.wrap(content), {
      filename: file,
      cachedData: known?.code,
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    })
    const isTaken = script.cachedDataRejected === false
    if (!isTaken || known?.hasRun !== true) this.#fresh.set(file, { script, modifiedMs })
    return script
  }
}

function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length))
  copy.set(bytes)
  return copy
}
