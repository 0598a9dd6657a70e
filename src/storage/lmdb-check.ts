/**
 * A look over an LMDB data file before it is opened. LMDB maps the file and trusts it: a file that
 * was cut or overwritten ends the process with a signal that nothing can catch. So the trees are
 * walked here first, with plain reads. Source: the format of LMDB's mdb.c, data version 2, 64-bit
 * little-endian, as lmdb 3.5 builds it.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const META_BYTES = 168
const HEADER_BYTES = 24
const NODE_HEADER_BYTES = 8
const MAGIC = 0xbeefc0de
const DATA_VERSION = 2
/** No page: the root of an empty tree. */
const NO_PAGE = 0xffff_ffff_ffff_ffffn

const PAGE_BRANCH = 0x01
const PAGE_LEAF = 0x02
const PAGE_OVERFLOW = 0x04
const PAGE_META = 0x08
const PAGE_FIXED = 0x20

const NODE_BIG = 0x01
const NODE_TREE = 0x02

/** Thrown within this file only: the walk found what a sound file cannot hold. */
class Unsound extends Error {}

interface Tree {
  depth: number
  root: bigint
}

interface Meta {
  pageBytes: number
  lastPage: number
  transaction: bigint
  trees: readonly Tree[]
}

/**
 * What is wrong with the structure of the data file at `path`, or null. A missing or empty file is
 * sound: LMDB makes a new one. The bytes of values are not looked at. Throws what the file system
 * throws.
 */
export function lmdbFileProblem(path: string): string | null {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  try {
    if (fstatSync(file).size > 0) new Walk(file).run()
    return null
  } catch (error) {
    if (error instanceof Unsound) return error.message
    throw error
  } finally {
    closeSync(file)
  }
}

class Walk {
  readonly #file: number
  readonly #fileBytes: number
  readonly #seen = new Set<number>()
  #meta: Meta = { pageBytes: 0, lastPage: 0, transaction: -1n, trees: [] }

  constructor(file: number) {
    this.#file = file
    this.#fileBytes = fstatSync(file).size
  }

  run(): void {
    const first = this.#readMeta(0)
    const second = this.#readMeta(first.pageBytes)
    this.#meta = second.transaction > first.transaction ? second : first
    for (const tree of this.#meta.trees) this.#walkTree(tree)
  }

  #readMeta(at: number): Meta {
    const page = this.#read(at, META_BYTES)
    if ((page.readUInt16LE(18) & PAGE_META) === 0) throw new Unsound('a meta page is missing')
    if (page.readUInt32LE(24) !== MAGIC) throw new Unsound('it is no LMDB file')
    if (page.readUInt32LE(28) !== DATA_VERSION) throw new Unsound('its format is not known')
    const pageBytes = page.readUInt32LE(48)
    if (pageBytes < 512 || pageBytes > 65_536 || (pageBytes & (pageBytes - 1)) !== 0)
      throw new Unsound('its page size is impossible')
    return {
      pageBytes,
      lastPage: Number(page.readBigUInt64LE(144)),
      transaction: page.readBigUInt64LE(152),
      trees: [treeAt(page, 48), treeAt(page, 96)],
    }
  }

  #walkTree({ depth, root }: Tree): void {
    if (root === NO_PAGE) return
    if (depth === 0 || depth > 32) throw new Unsound('a tree has an impossible depth')
    this.#walkPage(Number(root), depth)
  }

  #walkPage(number: number, depth: number): void {
    const { pageBytes } = this.#meta
    this.#claim(number, 1)
    const page = this.#read(number * pageBytes, pageBytes)
    if (Number(page.readBigUInt64LE(0)) !== number) throw new Unsound(`page ${number} is another`)
    const flags = page.readUInt16LE(18)
    const expected = depth > 1 ? PAGE_BRANCH : PAGE_LEAF
    if ((flags & expected) === 0) throw new Unsound(`page ${number} is of the wrong kind`)
    if ((flags & PAGE_FIXED) !== 0) return
    const lower = page.readUInt16LE(20)
    const upper = page.readUInt16LE(22)
    const room = pageBytes - HEADER_BYTES
    if (lower % 2 !== 0 || lower > upper || upper > room)
      throw new Unsound(`page ${number} has impossible bounds`)
    for (let at = HEADER_BYTES; at < HEADER_BYTES + lower; at += 2) {
      const node = page.readUInt16LE(at)
      if (node < upper || node + NODE_HEADER_BYTES > room)
        throw new Unsound(`page ${number} has a node outside`)
      this.#walkNode(page, HEADER_BYTES + node, depth)
    }
  }

  #walkNode(page: Buffer, at: number, depth: number): void {
    const low = page.readUInt32LE(at)
    const flags = page.readUInt16LE(at + 4)
    const data = at + NODE_HEADER_BYTES + page.readUInt16LE(at + 6)
    if (data > page.length) throw new Unsound('a key reaches out of its page')
    if (depth > 1) {
      this.#walkPage(low + flags * 2 ** 32, depth - 1)
      return
    }
    const isBig = (flags & NODE_BIG) !== 0
    // The data of a big value is where its own pages are: number, transaction, count.
    if (data + (isBig ? 24 : low) > page.length)
      throw new Unsound('a value reaches out of its page')
    if (isBig) this.#walkBig(page, data, low)
    else if ((flags & NODE_TREE) !== 0) {
      if (low < 48) throw new Unsound('a tree within the tree is cut')
      this.#walkTree(treeAt(page, data))
    }
  }

  #walkBig(page: Buffer, at: number, valueBytes: number): void {
    const { pageBytes } = this.#meta
    const number = Number(page.readBigUInt64LE(at))
    const count = Number(page.readBigUInt64LE(at + 16))
    if (count * pageBytes < HEADER_BYTES + valueBytes) throw new Unsound('a big value is cut')
    this.#claim(number, count)
    const flags = this.#read(number * pageBytes, HEADER_BYTES).readUInt16LE(18)
    if ((flags & PAGE_OVERFLOW) === 0) throw new Unsound(`page ${number} is of the wrong kind`)
  }

  /** A page belongs to one place; that also ends the walk in a file whose pages form a ring. */
  #claim(first: number, count: number): void {
    const { lastPage, pageBytes } = this.#meta
    const end = first + count
    if (first < 2 || end - 1 > lastPage || end * pageBytes > this.#fileBytes)
      throw new Unsound(`page ${first} is not in the file`)
    if (this.#seen.has(first)) throw new Unsound(`page ${first} is used twice`)
    this.#seen.add(first)
  }

  #read(at: number, length: number): Buffer {
    const bytes = Buffer.alloc(length)
    if (at + length > this.#fileBytes) throw new Unsound('the file is cut')
    if (readSync(this.#file, bytes, 0, length, at) < length) throw new Unsound('the file is cut')
    return bytes
  }
}

function treeAt(page: Buffer, at: number): Tree {
  return { depth: page.readUInt16LE(at + 6), root: page.readBigUInt64LE(at + 40) }
}
