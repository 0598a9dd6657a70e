import test from 'ava'
import type { Partition } from '../../src/actors/partition.ts'
import type { AppendResult, ReadRequest, ReadResult } from '../../src/actors/partition-requests.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import {
  baseOffset,
  buildBatch,
  CRC_FROM,
  crc,
  isLogAppendTime,
  maxTimestamp,
  partitionLeaderEpoch,
} from '../../src/protocol/record-batch.ts'
import { MemoryDisk, MemoryStorage } from '../../src/storage/memory.ts'
import type { StorageFault } from '../../src/storage/memory-file.ts'
import { batchOf, crc32c, markerOf } from '../log/batches.ts'
import { hostOf, partitionOn, pool } from './logs.ts'

/** Appends; answers what came back so far. */
function append(partition: Partition, batch: Buffer, acksAll = true): AppendResult[] {
  const results: AppendResult[] = []
  partition.append(batch, acksAll, { onAppended: (_tag, result) => results.push(result) }, 7)
  return results
}

function read(
  partition: Partition,
  over: Partial<ReadRequest> = {},
): ReadResult & { bytes: Buffer } {
  const result = partition.read({
    fetchOffset: 0,
    maxBytes: 1 << 20,
    currentLeaderEpoch: -1,
    lastFetchedEpoch: -1,
    readCommitted: false,
    minOneBatch: true,
    measure: false,
    ...over,
  })
  const held = result.read?.buffer
  const bytes = Buffer.from(held?.bytes.subarray(result.read?.from, result.read?.to) ?? [])
  if (held !== undefined) pool.release(held)
  return { ...result, bytes }
}

const idempotent = (sequence: number, count = 1) =>
  batchOf({ producerId: 9, producerEpoch: 0, sequence, count })

test('a batch gets its offset and epoch, and is read as it was sent', (t) => {
  const partition = partitionOn(new MemoryStorage())
  t.is(append(partition, batchOf({ count: 3 }))[0]?.baseOffset, 0)
  const [second] = append(partition, batchOf({ count: 2, text: 'second', epoch: -1 }))
  t.like(second, {
    errorCode: ErrorCode.NONE,
    baseOffset: 3,
    logAppendTimeMs: -1,
    logStartOffset: 0,
  })
  const { bytes, highWatermark, lastStableOffset } = read(partition, { fetchOffset: 3 })
  t.is(baseOffset(bytes, 0), 3)
  t.is(partitionLeaderEpoch(bytes, 0), 0)
  t.is(crc(bytes, 0), crc32c(bytes.subarray(CRC_FROM)))
  t.deepEqual([highWatermark, lastStableOffset], [5, 5])
})

test('with LogAppendTime the batch carries the time of the append', (t) => {
  const partition = partitionOn(new MemoryStorage(), { 'message.timestamp.type': 'LogAppendTime' })
  t.is(append(partition, batchOf({ timestamp: 77 }))[0]?.logAppendTimeMs, 5000)
  const { bytes } = read(partition)
  t.true(isLogAppendTime(bytes, 0))
  t.is(maxTimestamp(bytes, 0), 5000)
  t.is(crc(bytes, 0), crc32c(bytes.subarray(CRC_FROM)))
})

test('a batch that is sent again is answered with its first offset', (t) => {
  const partition = partitionOn(new MemoryStorage())
  for (let i = 0; i < 6; i++) append(partition, idempotent(i))
  t.is(append(partition, idempotent(3))[0]?.baseOffset, 3)
  t.is(append(partition, idempotent(0))[0]?.errorCode, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
  t.is(append(partition, idempotent(7))[0]?.errorCode, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
  t.is(partition.log.logEndOffset, 6)
})

test('a full disk refuses one append and goes on with the next', (t) => {
  let fault: StorageFault | undefined = { code: 'ENOSPC', landed: 20 }
  const host = hostOf()
  const storage = new MemoryStorage(new MemoryDisk(), {
    fault: ({ kind }) => (kind === 'append' ? fault : undefined),
  })
  const partition = partitionOn(storage, {}, host)
  t.is(append(partition, idempotent(0))[0]?.errorCode, ErrorCode.KAFKA_STORAGE_ERROR)
  t.true(partition.online)
  t.regex(host.heard[0] as string, /^refused/)
  fault = undefined
  t.is(append(partition, idempotent(0))[0]?.baseOffset, 0)
})

test('a broken disk takes the partition offline: everybody hears KAFKA_STORAGE_ERROR', (t) => {
  const host = hostOf()
  const storage = new MemoryStorage(new MemoryDisk(), {
    fault: ({ kind }) => (kind === 'append' ? { code: 'EIO' } : undefined),
  })
  const partition = partitionOn(storage, {}, host)
  t.is(append(partition, batchOf())[0]?.errorCode, ErrorCode.KAFKA_STORAGE_ERROR)
  t.false(partition.online)
  t.is(host.heard.filter((one) => one.startsWith('failed')).length, 1)
  t.is(append(partition, batchOf())[0]?.errorCode, ErrorCode.KAFKA_STORAGE_ERROR)
  t.is(read(partition).errorCode, ErrorCode.KAFKA_STORAGE_ERROR)
  t.is(partition.deleteRecords(0).errorCode, ErrorCode.KAFKA_STORAGE_ERROR)
})

/** A storage whose deferred work waits until it is let go, the oldest first. */
function heldStorage(fault: () => StorageFault | undefined = () => undefined) {
  const held: (() => void)[] = []
  const storage = new MemoryStorage(new MemoryDisk(), {
    defer: (then) => held.push(then),
    fault: ({ kind }) => (kind === 'sync' ? fault() : undefined),
  })
  return { storage, held }
}

test('with group commit an ack waits for its flush, and one flush serves all who came meanwhile', (t) => {
  const { storage, held } = heldStorage()
  const partition = partitionOn(storage, {}, hostOf(true))
  const first = append(partition, idempotent(0))
  const second = append(partition, idempotent(1))
  const third = append(partition, idempotent(2))
  const loose = append(partition, idempotent(3), false)
  t.deepEqual([first.length, second.length, third.length, loose.length], [0, 0, 0, 1])
  t.is(held.length, 1)
  held.shift()?.()
  t.deepEqual([first.length, second.length, third.length], [1, 0, 0])
  t.is(held.length, 1)
  held.shift()?.()
  t.deepEqual([second[0]?.baseOffset, third[0]?.baseOffset], [1, 2])
  t.is(held.length, 0)
  t.is(partition.log.flushState.recoveryPoint, 4)
  // Nothing is left to flush: a duplicate is answered at once.
  t.is(append(partition, idempotent(3))[0]?.baseOffset, 3)
})

test('an ack that waits for a flush also waits for the segments rolled before it', (t) => {
  const { storage, held } = heldStorage()
  const partition = partitionOn(storage, { 'internal.segment.bytes': '150' }, hostOf(true))
  const first = append(partition, idempotent(0))
  const second = append(partition, idempotent(1))
  const third = append(partition, idempotent(2))
  t.true(partition.log.segments.length > 2)
  held.shift()?.()
  t.deepEqual([first.length, second.length, third.length], [1, 0, 0])
  // The next flush is of all three segments; that of the active one ends first.
  const flushes = held.splice(-3)
  flushes.pop()?.()
  flushes.pop()?.()
  t.deepEqual([second.length, third.length], [0, 0])
  flushes.pop()?.()
  t.deepEqual([second.length, third.length], [1, 1])
  t.is(partition.log.flushState.recoveryPoint, 3)
})

test('a flush that fails is heard by all who wait, and takes the partition offline', (t) => {
  let fault: StorageFault | undefined
  const { storage, held } = heldStorage(() => fault)
  const host = hostOf(true)
  const partition = partitionOn(storage, {}, host)
  const first = append(partition, idempotent(0))
  const second = append(partition, idempotent(1))
  fault = { code: 'ENOSPC' }
  while (held.length > 0) held.shift()?.()
  t.deepEqual(
    [first, second].map((results) => results.map((one) => one.errorCode)),
    [[ErrorCode.KAFKA_STORAGE_ERROR], [ErrorCode.KAFKA_STORAGE_ERROR]],
  )
  t.false(partition.online)
})

test('flush.messages makes an append wait even with acks=1', (t) => {
  const { storage, held } = heldStorage()
  const partition = partitionOn(storage, { 'flush.messages': '3' })
  t.is(append(partition, batchOf(), false).length, 1)
  const due = append(partition, batchOf({ count: 2 }), false)
  t.is(due.length, 0)
  held.shift()?.()
  t.is(due[0]?.baseOffset, 1)
  t.is(append(partition, batchOf(), false).length, 1)
})

test('read_committed ends at the last stable offset and names aborted transactions', (t) => {
  const disk = new MemoryDisk()
  const p = (producerId: number) => ({ producerId, producerEpoch: 0, transactional: true })
  const batches = [
    batchOf({ ...p(1), base: 0, count: 2, sequence: 0 }),
    markerOf({ ...p(1), base: 2, commit: false }),
    batchOf({ base: 3 }),
    batchOf({ ...p(2), base: 4, sequence: 0 }),
    batchOf({ base: 5 }),
  ]
  disk.putSegment('t', 0, 0, Buffer.concat(batches))
  const partition = partitionOn(new MemoryStorage(disk))
  const committed = read(partition, { readCommitted: true })
  t.is(committed.bytes.length, Buffer.concat(batches.slice(0, 3)).length)
  t.is(committed.lastStableOffset, 4)
  t.is(committed.highWatermark, 6)
  t.like(committed.aborted, [{ producerId: 1, firstOffset: 0 }])
  t.deepEqual(read(partition, { readCommitted: true, fetchOffset: 3 }).aborted, [])
  const all = read(partition)
  t.is(all.bytes.length, Buffer.concat(batches).length)
  t.is(all.aborted, null)
  t.is(read(partition, { readCommitted: true, fetchOffset: 4 }).bytes.length, 0)
})

test('only aborted transactions that overlap the bytes answered are named', (t) => {
  const disk = new MemoryDisk()
  const p = (producerId: number) => ({ producerId, producerEpoch: 0, transactional: true })
  const first = batchOf({ base: 0 })
  const rest = [
    batchOf({ ...p(1), base: 1, sequence: 0 }),
    markerOf({ ...p(1), base: 2, commit: false }),
  ]
  disk.putSegment('t', 0, 0, Buffer.concat([first, ...rest]))
  const partition = partitionOn(new MemoryStorage(disk))
  t.deepEqual(read(partition, { readCommitted: true, maxBytes: first.length }).aborted, [])
  t.is(read(partition, { readCommitted: true }).aborted?.length, 1)
})

test('reads out of the log and of the wrong epoch are refused', (t) => {
  const partition = partitionOn(new MemoryStorage())
  append(partition, batchOf({ count: 4 }))
  const refused = (over: Partial<ReadRequest>) => read(partition, over).errorCode
  t.is(refused({ fetchOffset: 5 }), ErrorCode.OFFSET_OUT_OF_RANGE)
  t.is(refused({ fetchOffset: -1 }), ErrorCode.OFFSET_OUT_OF_RANGE)
  t.is(refused({ fetchOffset: 4 }), ErrorCode.NONE)
  t.is(refused({ currentLeaderEpoch: 1 }), ErrorCode.UNKNOWN_LEADER_EPOCH)
  t.is(refused({ currentLeaderEpoch: 0 }), ErrorCode.NONE)
  partition.deleteRecords(2)
  t.is(refused({ fetchOffset: 1 }), ErrorCode.OFFSET_OUT_OF_RANGE)
  t.is(refused({ fetchOffset: 2 }), ErrorCode.NONE)
  const { highWatermark, logStartOffset, lastStableOffset } = read(partition, { fetchOffset: 9 })
  t.deepEqual([highWatermark, logStartOffset, lastStableOffset], [-1, -1, -1])
})

test('measuring tells the bytes that a read would find', (t) => {
  const partition = partitionOn(new MemoryStorage(), { 'internal.segment.bytes': '300' })
  const { length } = batchOf()
  for (let i = 0; i < 10; i++) append(partition, batchOf())
  const measured = (fetchOffset: number, maxBytes = 1 << 20) =>
    read(partition, { fetchOffset, maxBytes, measure: true }).availableBytes
  t.deepEqual(
    [0, 1, 5, 9, 10].map((offset) => measured(offset)),
    [10, 9, 5, 1, 0].map((n) => n * length),
  )
  t.is(measured(0, 100), 100)
})

test('deleted records are deleted up to the end, and never beyond', (t) => {
  const partition = partitionOn(new MemoryStorage())
  append(partition, batchOf({ count: 4 }))
  t.is(partition.deleteRecords(5).errorCode, ErrorCode.OFFSET_OUT_OF_RANGE)
  t.is(partition.deleteRecords(-2).errorCode, ErrorCode.OFFSET_OUT_OF_RANGE)
  t.is(partition.deleteRecords(3).lowWatermark, 3)
  t.is(partition.deleteRecords(1).lowWatermark, 3)
  t.is(partition.deleteRecords(-1).lowWatermark, 4)
  t.is(append(partition, batchOf())[0]?.baseOffset, 4)
  const compacted = partitionOn(new MemoryStorage(), { 'cleanup.policy': 'compact' })
  t.is(compacted.deleteRecords(0).errorCode, ErrorCode.POLICY_VIOLATION)
})

test('codecs that fail are the sender’s fault', (t) => {
  const partition = partitionOn(new MemoryStorage())
  for (const codec of [1, 4, 5, 7]) {
    const batch = buildBatch({ records: [{ value: null }], attributes: codec }, crc32c)
    t.is(append(partition, batch)[0]?.errorCode, ErrorCode.CORRUPT_MESSAGE)
  }
  t.true(partition.online)
})
