/** Damage to a stopped broker's files, and what has to be served after it. */
import fs from 'node:fs'
import path from 'node:path'
import type { Seeded } from '../support/seeded.ts'
import { appendBytes, cutAt, type FoundBatch, flipByte, type Segment } from './segments.ts'

/** Kinds of damage. */
export const DAMAGES = ['cut', 'garbage', 'index-deleted', 'index-damaged', 'flip'] as const
export type Damage = (typeof DAMAGES)[number]

/** What a partition has to serve. */
export interface Expected {
  /** Exactly these batches, byte for byte. */
  readonly sound: readonly FoundBatch[]
  /** Offsets whose fetch may answer CORRUPT_MESSAGE: [from, to). */
  readonly damaged: readonly { from: number; to: number }[]
  /** The log may end at any of these. */
  readonly ends: readonly number[]
}

/** Where the partition's log ends if all of it is sound. */
function endOf(segments: readonly Segment[]): number {
  const last = segments.at(-1)
  return last === undefined ? 0 : (last.batches.at(-1)?.lastOffset ?? last.baseOffset - 1) + 1
}

/** What an undamaged partition has to serve. */
export function undamaged(segments: readonly Segment[]): Expected {
  const sound = segments.flatMap(({ batches }) => batches)
  return { sound, damaged: [], ends: [endOf(segments)] }
}

/** Cuts a random segment at a random place. */
export function cut(segments: readonly Segment[], random: Seeded): Expected {
  const index = random.chance(0.6) ? segments.length - 1 : random.between(0, segments.length - 1)
  const segment = segments[index] as Segment
  const size = random.between(0, Math.max(0, segment.size - 1))
  cutAt(segment.file, size)
  const kept = segment.batches.filter(({ position, bytes }) => position + bytes.length <= size)
  const keptEnd = (kept.at(-1)?.lastOffset ?? segment.baseOffset - 1) + 1
  const sound = segments.flatMap((one) => (one === segment ? kept : one.batches))
  const next = segments[index + 1]
  if (next === undefined) return { sound, damaged: [], ends: [keptEnd] }
  return { sound, damaged: [{ from: keptEnd, to: next.baseOffset }], ends: [endOf(segments)] }
}

/** Appends to a random segment what is no batch of this place. */
export function garbage(segments: readonly Segment[], random: Seeded): Expected {
  const segment = random.chance(0.6) ? (segments.at(-1) as Segment) : random.pick(segments)
  const old = segment.batches.length > 0 ? random.pick(segment.batches).bytes : Buffer.alloc(100)
  const junk = [
    random.bytes(random.between(1, 5000)),
    Buffer.alloc(random.between(1, 200_000)),
    old.subarray(0, random.between(1, old.length - 1)),
    old,
    Buffer.concat([old, random.bytes(10)]),
  ]
  appendBytes(segment.file, random.pick(junk))
  return undamaged(segments)
}

/** Changes one byte of a random batch. */
export function flip(segments: readonly Segment[], random: Seeded): Expected {
  const segment = random.pick(segments.filter(({ batches }) => batches.length > 0))
  const batch = random.pick(segment.batches)
  const all = segments.flatMap(({ batches }) => batches)
  const isLast = all.at(-1) === batch
  // Nothing covers the leader epoch, nor the base offset of the last batch of all.
  const at = random.chance(0.3) ? random.between(0, 60) : random.between(0, batch.bytes.length - 1)
  const isUncovered = (at >= 12 && at < 16) || (isLast && at < 8)
  const place = isUncovered ? random.between(16, batch.bytes.length - 1) : at
  flipByte(segment.file, batch.position + place, random.between(1, 255))
  const end = endOf(segments)
  return {
    sound: all.filter((one) => one !== batch),
    damaged: [{ from: batch.baseOffset, to: batch.lastOffset + 1 }],
    ends: isLast ? [end, batch.baseOffset] : [end],
  }
}

/** Removes the index of all partitions. */
export function deleteIndex(dataDir: string): void {
  fs.rmSync(path.join(dataDir, 'odradek', 'index'), { recursive: true })
}

/** Overwrites parts of the index's file. */
export function damageIndex(dataDir: string, random: Seeded): void {
  const file = path.join(dataDir, 'odradek', 'index', 'data.mdb')
  const { size } = fs.statSync(file)
  const fd = fs.openSync(file, 'r+')
  for (let i = random.between(1, 20); i > 0; i--) {
    const bytes = random.bytes(random.between(1, 200))
    fs.writeSync(fd, bytes, 0, bytes.length, random.between(0, Math.max(0, size - bytes.length)))
  }
  if (random.chance(0.2)) fs.ftruncateSync(fd, random.between(0, size))
  fs.closeSync(fd)
}
