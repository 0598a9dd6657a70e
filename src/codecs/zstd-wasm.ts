/**
 * Zstandard as WebAssembly, for Nodes without it. Instantiated synchronously, so that the first
 * batch needs no wait; the package itself offers only an asynchronous start.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { require } from './load.ts'

/** Its memory never shrinks: a larger one than this is dropped with its instance after use. */
const KEPT_BYTES_MAX = 32 * 1024 * 1024

/** What is used of the platform's WebAssembly, which the types of Node leave out. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => { readonly wasm: 'module' }
  Instance: new (module: WasmModule, imports: object) => { readonly exports: object }
}
type WasmModule = InstanceType<typeof WebAssembly.Module>

/** The part of the package's emscripten module that is used. Pointers and sizes are numbers. */
interface EmscriptenModule {
  readonly HEAPU8: Uint8Array
  instantiateWasm(imports: object, receive: (instance: object) => void): object
  /** Takes the bytes where `instantiateWasm` does not do the work. */
  init(bytes: Uint8Array): void
  _malloc(bytes: number): number
  _free(at: number): void
  _ZSTD_compressBound(bytes: number): number
  _ZSTD_compress(to: number, room: number, from: number, bytes: number, level: number): number
  _ZSTD_decompress(to: number, room: number, from: number, bytes: number): number
}

const NO_BYTES = new Uint8Array(0)

let compiled: WasmModule | undefined
let instance: EmscriptenModule | undefined

/**
 * Unfolds all frames in `bytes` into at most `room` bytes. A negative number is zstd's error;
 * `DESTINATION_TOO_SMALL`: there is more than `room`.
 */
export function decompressWasm(bytes: Uint8Array, room: number): Buffer | number {
  return withMemory(bytes, room, (zstd, to, from) =>
    zstd._ZSTD_decompress(to, room, from, bytes.length),
  )
}

/** One frame with its content size, or zstd's error as a negative number. */
export function compressWasm(bytes: Uint8Array, level: number): Buffer | number {
  const room = loaded()._ZSTD_compressBound(bytes.length)
  return withMemory(bytes, room, (zstd, to, from) =>
    zstd._ZSTD_compress(to, room, from, bytes.length, level),
  )
}

/** ZSTD_error_dstSize_tooSmall. */
export const DESTINATION_TOO_SMALL = -70
/** ZSTD_error_memory_allocation. */
const NO_MEMORY = -64

function withMemory(
  bytes: Uint8Array,
  room: number,
  work: (zstd: EmscriptenModule, to: number, from: number) => number,
): Buffer | number {
  const zstd = loaded()
  // One byte more: a piece of nothing has no address.
  const from = zstd._malloc(bytes.length + 1)
  const to = zstd._malloc(room + 1)
  try {
    if (from === 0 || to === 0) return NO_MEMORY
    zstd.HEAPU8.set(bytes, from)
    const written = work(zstd, to, from)
    return written < 0 ? written : Buffer.from(zstd.HEAPU8.subarray(to, to + written))
  } finally {
    zstd._free(from)
    zstd._free(to)
    if (zstd.HEAPU8.length > KEPT_BYTES_MAX) instance = undefined
  }
}

function loaded(): EmscriptenModule {
  if (instance !== undefined) return instance
  const folder = dirname(require.resolve('@bokuweb/zstd-wasm'))
  compiled ??= new WebAssembly.Module(readFileSync(join(folder, 'zstd.wasm')))
  const path = require.resolve(join(folder, 'zstd.js'))
  // The module holds one instance for life: a new one needs the script again.
  delete require.cache[path]
  const { Module: fresh } = require(path) as { Module: EmscriptenModule }
  const module = compiled
  fresh.instantiateWasm = (imports, receive) => {
    receive(new WebAssembly.Instance(module, imports))
    return {}
  }
  fresh.init(NO_BYTES)
  instance = fresh
  return fresh
}
