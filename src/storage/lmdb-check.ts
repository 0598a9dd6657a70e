/**
 * A look over an LMDB data file before it is opened. LMDB maps the file and trusts it: a file that
 * was cut or overwritten ends the process with a signal that nothing can catch. So the trees are
 * walked here first, with plain reads. Source: the format of LMDB's mdb.c, data version 2, 64-bit
 * little-endian, as lmdb 3.5 builds it; one tree
 * with keys in the order of their bytes, which is all that we use.
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

/** What the tree of free pages may be flagged with: integer keys, and how the file is synced. */
const FREE_TREE_FLAGS = 0x08 | 0x1000

const NODE_BIG = 0x01

/** Thrown within this file only: the walk found what a sound file cannot hold. */
class Unsound extends Error {}

/** Says whether an entry of the main tree is what was written. `value` is valid during the call. */
export type EntryCheck = (key: Buffer, value: Buffer) => boolean

interface Tree {
  depth: number
  root: bigint
  branchPages: number
  leafPages: number
  bigPages: number
  entries: number
}

interface Meta {
  pageBytes: number
  lastPage: number
  transaction: bigint
  trees: readonly Tree[]
}

/**
 * What is wrong with the structure of the data file at `path`, or null. A missing or empty file is
 * sound: LMDB makes a new one. The bytes of entries are only looked at by `isSound`. Throws what
 * the file system throws.
 */
export function lmdbFileProblem(path: string, isSound?: EntryCheck): string | null {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  try {
    if (fstatSync(file).size > 0) new Walk(file, isSound).run()
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
  readonly #isSound: EntryCheck | undefined
  #meta: Meta = { pageBytes: 0, lastPage: 0, transaction: -1n, trees: [] }
  #isMain = false
  #counted: Tree = { depth: 0, root: 0n, branchPages: 0, leafPages: 0, bigPages: 0, entries: 0 }
  /** The last key that was seen, and whether the next has to be greater or may be equal. */
  #keyBefore: Buffer | undefined
  #mayEqual = false

  constructor(file: number, isSound: EntryCheck | undefined) {
    this.#file = file
    this.#isSound = isSound
    this.#fileBytes = fstatSync(file).size
  }

  run(): void {
    const first = this.#readMeta(0)
    const second = this.#readMeta(first.pageBytes)
    const step = second.transaction - first.transaction
    // The two are written in turn.
    if (step > 1n || step < -1n) throw new Unsound('its meta pages are of different times')
    this.#meta = step > 0n ? second : first
    const [free, main] = this.#meta.trees as [Tree, Tree]
    this.#isMain = true
    this.#walkTree(main)
    // The free pages come last: none of them may be in use.
    this.#isMain = false
    this.#walkTree(free)
  }

  #readMeta(at: number): Meta {
    const page = this.#read(at, META_BYTES)
    if ((page.readUInt16LE(18) & PAGE_META) === 0) throw new Unsound('a meta page is missing')
    if (page.readUInt32LE(24) !== MAGIC) throw new Unsound('it is no LMDB file')
    if (page.readUInt32LE(28) !== DATA_VERSION) throw new Unsound('its format is not known')
    const pageBytes = page.readUInt32LE(48)
    if (pageBytes < 512 || pageBytes > 65_536 || (pageBytes & (pageBytes - 1)) !== 0)
      throw new Unsound('its page size is impossible')
    const lastPage = Number(page.readBigUInt64LE(144))
    if ((lastPage + 1) * pageBytes > Number(page.readBigUInt64LE(40)))
      throw new Unsound('its last page is not in its map')
    const [freeFlags, mainFlags] = [page.readUInt16LE(52), page.readUInt16LE(100)]
    if ((freeFlags & ~FREE_TREE_FLAGS) !== 0 || mainFlags !== 0)
      throw new Unsound('a tree is of an unknown kind')
    return {
      pageBytes,
      lastPage,
      transaction: page.readBigUInt64LE(152),
      trees: [treeAt(page, 48), treeAt(page, 96)],
    }
  }

  #walkTree(tree: Tree): void {
    const { depth, root } = tree
    const none = { depth, root, branchPages: 0, leafPages: 0, bigPages: 0, entries: 0 }
    this.#counted = none
    if (root !== NO_PAGE) {
      if (depth === 0 || depth > 32) throw new Unsound('a tree has an impossible depth')
      this.#walkPage(Number(root), depth)
    }
    for (const count of ['branchPages', 'leafPages', 'bigPages', 'entries'] as const) {
      if (this.#counted[count] !== tree[count]) throw new Unsound(`a tree has not its ${count}`)
    }
  }

  /** A key that is out of order would hide others from a search. */
  #pass(key: Buffer, isBranch: boolean): void {
    if (!this.#isMain) return
    const before = this.#keyBefore
    const order = before === undefined ? 1 : Buffer.compare(key, before)
    if (order < 0 || (order === 0 && !this.#mayEqual)) throw new Unsound('a key is out of order')
    // The key of a branch is at most the first one below it.
    this.#mayEqual = isBranch
    this.#keyBefore = key
  }

  #walkPage(number: number, depth: number): void {
    const { pageBytes } = this.#meta
    this.#claim(number, 1)
    const page = this.#read(number * pageBytes, pageBytes)
    if (Number(page.readBigUInt64LE(0)) !== number) throw new Unsound(`page ${number} is another`)
    // A page of a later transaction would be written in place, where the map is read-only.
    if (page.readBigUInt64LE(8) > this.#meta.transaction)
      throw new Unsound(`page ${number} is of another time`)
    const flags = page.readUInt16LE(18)
    const expected = depth > 1 ? PAGE_BRANCH : PAGE_LEAF
    if (flags !== expected) throw new Unsound(`page ${number} is of the wrong kind`)
    const lower = page.readUInt16LE(20)
    const upper = page.readUInt16LE(22)
    const room = pageBytes - HEADER_BYTES
    if (lower % 2 !== 0 || lower > upper || upper > room)
      throw new Unsound(`page ${number} has impossible bounds`)
    if (depth > 1) this.#counted.branchPages++
    else this.#counted.leafPages++
    for (let at = HEADER_BYTES; at < HEADER_BYTES + lower; at += 2) {
      const node = page.readUInt16LE(at)
      if (node < upper || node + NODE_HEADER_BYTES > room)
        throw new Unsound(`page ${number} has a node outside`)
      this.#walkNode(page, HEADER_BYTES + node, depth, at === HEADER_BYTES)
    }
  }

  #walkNode(page: Buffer, at: number, depth: number, isFirst: boolean): void {
    const low = page.readUInt32LE(at)
    const flags = page.readUInt16LE(at + 4)
    const data = at + NODE_HEADER_BYTES + page.readUInt16LE(at + 6)
    if (data > page.length) throw new Unsound('a key reaches out of its page')
    if (depth === 1 && (flags & ~NODE_BIG) !== 0)
      throw new Unsound('an entry is of an unknown kind')
    const key = page.subarray(at + NODE_HEADER_BYTES, data)
    if (depth > 1) {
      // The first key of a branch says nothing: a search never compares it.
      if (!isFirst) this.#pass(key, true)
      this.#walkPage(low + flags * 2 ** 32, depth - 1)
      return
    }
    this.#pass(key, false)
    this.#counted.entries++
    const isBig = (flags & NODE_BIG) !== 0
    // The data of a big value is where its own pages are: number, transaction, count.
    if (data + (isBig ? 24 : low) > page.length)
      throw new Unsound('a value reaches out of its page')
    const value = isBig ? this.#walkBig(page, data, low) : page.subarray(data, data + low)
    if (!this.#isMain) this.#checkFree(value)
    else if (this.#isSound?.(key, value) === false) throw new Unsound('an entry is not as written')
  }

  /** A list of free pages: its length, then page numbers; minus n says that n pages begin there. */
  #checkFree(list: Buffer): void {
    const words = list.length / 8
    if (!Number.isInteger(words) || words < 1) throw new Unsound('a list of free pages is cut')
    // A list may be shorter than the room that was reserved for it.
    const length = Number(list.readBigInt64LE(0))
    if (length < 0 || length >= words) throw new Unsound('a list of free pages lies')
    let count = 1
    for (let word = 1; word <= length; word++) {
      const entry = Number(list.readBigInt64LE(word * 8))
      if (entry > 0) {
        this.#claim(entry, count, false)
        count = 1
      } else if (entry < 0) count = -entry
    }
  }

  #walkBig(page: Buffer, at: number, valueBytes: number): Buffer {
    const { pageBytes } = this.#meta
    const number = Number(page.readBigUInt64LE(at))
    const count = Number(page.readBigUInt64LE(at + 16))
    if (count * pageBytes < HEADER_BYTES + valueBytes) throw new Unsound('a big value is cut')
    this.#claim(number, count)
    this.#counted.bigPages += count
    const bytes = this.#read(number * pageBytes, HEADER_BYTES + valueBytes)
    if ((bytes.readUInt16LE(18) & PAGE_OVERFLOW) === 0)
      throw new Unsound(`page ${number} is of the wrong kind`)
    return bytes.subarray(HEADER_BYTES)
  }

  /**
   * A page belongs to one place; that also ends the walk in a file whose pages form a ring. Free
   * pages at the end may never have been written.
   */
  #claim(first: number, count: number, isWritten = true): void {
    const { lastPage, pageBytes } = this.#meta
    const end = first + count
    const isInFile = !isWritten || end * pageBytes <= this.#fileBytes
    if (first < 2 || !(end - 1 <= lastPage) || !isInFile)
      throw new Unsound(`page ${first} is not in the file`)
    for (let page = first; page < end; page++) {
      if (this.#seen.has(page)) throw new Unsound(`page ${page} is used twice`)
      this.#seen.add(page)
    }
  }

  #read(at: number, length: number): Buffer {
    const bytes = Buffer.alloc(length)
    if (at + length > this.#fileBytes) throw new Unsound('the file is cut')
    if (readSync(this.#file, bytes, 0, length, at) < length) throw new Unsound('the file is cut')
    return bytes
  }
}

function treeAt(page: Buffer, at: number): Tree {
  return {
    depth: page.readUInt16LE(at + 6),
    branchPages: Number(page.readBigUInt64LE(at + 8)),
    leafPages: Number(page.readBigUInt64LE(at + 16)),
    bigPages: Number(page.readBigUInt64LE(at + 24)),
    entries: Number(page.readBigUInt64LE(at + 32)),
    root: page.readBigUInt64LE(at + 40),
  }
}
