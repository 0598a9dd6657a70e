/** What the handlers of share groups have in common. */
import type { AcquiredRecords } from '../../coordinator/share/share-partition.ts'
import {
  baseOffset,
  batchSize,
  isControl,
  isTransactional,
  lastOffset,
  producerId,
} from '../../protocol/record-batch.ts'

/**
 * First and last offsets of the batches in `records`, and which of them no consumer is to see:
 * markers, and what belongs to the `aborted` transactions, which are sorted by their first offset.
 */
export function batchesIn(
  records: Buffer,
  aborted: readonly { readonly producerId: number; readonly firstOffset: number }[],
): { bounds: number[]; aborted: number[] } {
  const bounds: number[] = []
  const unseen: number[] = []
  const open = new Set<number>()
  let next = 0
  for (let at = 0; at < records.length; at += batchSize(records, at)) {
    const last = lastOffset(records, at)
    const producer = producerId(records, at)
    while (next < aborted.length && aborted[next]!.firstOffset <= last) {
      open.add(aborted[next]!.producerId)
      next++
    }
    if (isControl(records, at)) {
      open.delete(producer)
      unseen.push(bounds.length / 2)
    } else if (isTransactional(records, at) && open.has(producer)) unseen.push(bounds.length / 2)
    bounds.push(baseOffset(records, at), last)
  }
  return { bounds, aborted: unseen }
}

/** The whole batches from the first acquired record to the last. */
export function sliced(records: Buffer, acquired: readonly AcquiredRecords[]): Buffer {
  const first = acquired[0]!.firstOffset
  const last = acquired[acquired.length - 1]!.lastOffset
  let from = 0
  let to = 0
  for (let at = 0; at < records.length; at = to) {
    if (baseOffset(records, at) > last) break
    to = at + batchSize(records, at)
    if (lastOffset(records, at) < first) from = to
  }
  return records.subarray(from, Math.max(from, to))
}
