/**
 * What compaction has to leave of a log, said as plainly as possible: over lists of batches in
 * memory, without maps of bounded size, passes or segments' bytes.
 */

/** A record as the model holds it. */
export interface ModelRecord {
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
}

/** A batch as the model holds it. */
export interface ModelBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly transactional: boolean
  /** A marker: true commits, false aborts. */
  readonly commit: boolean | undefined
  readonly codec: number
  /** Before the first record goes. */
  readonly count: number
  records: readonly ModelRecord[]
  horizonMs: number | undefined
}

/** What a round is told. */
export interface ModelRound {
  readonly firstDirtyOffset: number
  /** Exclusive: up to where the keys were looked at. */
  readonly cleanedOffset: number
  /** Exclusive: the end of the last segment that was rewritten. */
  readonly rewrittenTo: number
  readonly nowMs: number
  readonly deleteRetentionMs: number
}

/** The marker that ends the transaction of the batch at `index`, if it is in the log. */
function markerOf(batches: readonly ModelBatch[], index: number): ModelBatch | undefined {
  const { producerId } = batches[index] as ModelBatch
  return batches
    .slice(index + 1)
    .find((one) => one.producerId === producerId && one.commit !== undefined)
}

function isAborted(batches: readonly ModelBatch[], index: number): boolean {
  const batch = batches[index] as ModelBatch
  if (!batch.transactional || batch.commit !== undefined) return false
  return markerOf(batches, index)?.commit === false
}

/** Whether a batch of the transaction that the marker at `index` ends is in the log. */
function hasData(batches: readonly ModelBatch[], index: number): boolean {
  const { producerId } = batches[index] as ModelBatch
  for (let i = index - 1; i >= 0; i--) {
    const one = batches[i] as ModelBatch
    if (one.producerId !== producerId || !one.transactional) continue
    return one.commit === undefined
  }
  return false
}

/**
 * Last offset of the last data batch of each producer; of one that left only markers, its epoch.
 */
function lastOf(all: readonly ModelBatch[]): Map<number, { lastData: number; epoch: number }> {
  const last = new Map<number, { lastData: number; epoch: number }>()
  for (const { producerId, producerEpoch, commit, lastOffset } of all) {
    if (producerId < 0) continue
    const before = last.get(producerId)
    const kept = before?.epoch === producerEpoch ? before.lastData : -1
    const lastData = commit === undefined ? lastOffset : kept
    last.set(producerId, { lastData, epoch: producerEpoch })
  }
  return last
}

/** The log after a round. `written`: every batch that was ever appended. */
export function cleanedModel(
  batches: readonly ModelBatch[],
  written: readonly ModelBatch[],
  round: ModelRound,
): ModelBatch[] {
  const newest = new Map<string, number>()
  for (const [i, batch] of batches.entries()) {
    if (batch.commit !== undefined || isAborted(batches, i)) continue
    for (const { key, offset } of batch.records) {
      const isDirty = offset >= round.firstDirtyOffset && offset < round.cleanedOffset
      if (key !== null && isDirty) newest.set(key, offset)
    }
  }
  const producers = lastOf(written)
  const result: ModelBatch[] = []
  for (const [i, batch] of batches.entries()) {
    if (batch.baseOffset >= round.rewrittenTo) {
      result.push(batch)
      continue
    }
    const after =
      batch.commit === undefined
        ? cleanedData(batch, isAborted(batches, i), newest, round)
        : cleanedMarker(batch, hasData(batches, i), round)
    const last = producers.get(batch.producerId)
    const isLast =
      last !== undefined &&
      (last.lastData >= 0
        ? last.lastData === batch.lastOffset
        : batch.commit !== undefined && batch.producerEpoch === last.epoch)
    const keepsHeader = isLast || batch.lastOffset + 1 === round.cleanedOffset
    if (after.records.length > 0) result.push(after)
    else if (keepsHeader) result.push({ ...after, codec: 0, horizonMs: undefined })
  }
  return result
}

function cleanedData(
  batch: ModelBatch,
  aborted: boolean,
  newest: ReadonlyMap<string, number>,
  { nowMs, cleanedOffset, deleteRetentionMs }: ModelRound,
): ModelBatch {
  if (aborted) return { ...batch, records: [] }
  const isPast = batch.horizonMs !== undefined && batch.horizonMs <= nowMs
  const records = batch.records.filter(({ key, value, offset }) => {
    if (offset >= cleanedOffset) return true
    if (key === null || offset < (newest.get(key) ?? -1)) return false
    return value !== null || !isPast
  })
  const hasTombstone = records.some(({ value }) => value === null)
  const horizonMs = hasTombstone ? (batch.horizonMs ?? nowMs + deleteRetentionMs) : batch.horizonMs
  return { ...batch, records, horizonMs }
}

function cleanedMarker(
  batch: ModelBatch,
  needed: boolean,
  { nowMs, deleteRetentionMs }: ModelRound,
): ModelBatch {
  if (needed) return batch
  if (batch.records.length === 0 || (batch.horizonMs !== undefined && batch.horizonMs <= nowMs)) {
    return { ...batch, records: [] }
  }
  return { ...batch, horizonMs: batch.horizonMs ?? nowMs + deleteRetentionMs }
}
