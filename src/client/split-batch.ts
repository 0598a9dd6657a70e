/** Halves a batch that the broker found too large. */
import { RecordCursor } from '../protocol/record-batch.ts'
import type { BatchBuffers } from './batch-buffers.ts'
import type { Delivery } from './delivery.ts'
import { ProducerBatch } from './producer-batch.ts'
import type { RecordBytes } from './record-size.ts'

/** Two batches with the records of `whole` in order, which has at least two. They lie in the order
 *  of the partition where the whole lay. */
export function splitBatch(
  whole: ProducerBatch,
  buffers: BatchBuffers,
): [first: ProducerBatch, second: ProducerBatch] {
  const { buffer, at, end, baseTimestamp } = whole.plainRecords()
  const depth = whole.depth + 1
  const ordinals = [whole.ordinal, whole.ordinal + 2 ** -depth] as const
  const pieces = ordinals.map((ordinal) => {
    const piece = new ProducerBatch(ordinal, whole.createdMs, whole.size >> 1, buffers)
    piece.depth = depth
    piece.attempts = whole.attempts
    return piece
  }) as [ProducerBatch, ProducerBatch]
  const waits: { delivery: Delivery; position: number }[] = []
  whole.eachRun((delivery, position, index, count) => {
    for (let i = 0; i < count; i++) waits[index + i] = { delivery, position: position + i }
  })
  const cursor = new RecordCursor()
  cursor.reset(buffer, at, end, whole.count)
  const half = whole.count >> 1
  for (let index = 0; cursor.next(); index++) {
    const headers: RecordBytes[] = []
    for (const { key, value } of cursor.headers()) headers.push(key, value)
    pieces[index < half ? 0 : 1].tryAppend(
      Infinity,
      baseTimestamp + cursor.timestampDelta,
      cursor.key(),
      cursor.value(),
      headers,
      waits[index]?.delivery,
      waits[index]?.position,
    )
  }
  const told = whole.onDone.splice(0)
  let left = pieces.length
  const tell = () => {
    if (--left === 0) for (const done of told) done()
  }
  for (const piece of pieces) piece.onDone.push(tell)
  return pieces
}
