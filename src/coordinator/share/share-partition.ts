/**
 * A share partition: which records of a partition a share group has in flight, who has them and how
 * often they were delivered. Everything below `startOffset` is done with; from there to `endOffset`
 * each offset has a state; what lies behind was never delivered. Source: Kafka's SharePartition,
 * KIP-932.
 */
import { ErrorCode } from '../../protocol/errors.ts'
import { type Range, RangeList } from './ranges.ts'
import { RecordState, type StateBatch } from './state-batches.ts'

/** What a member may say of records that it has. */
export const AcknowledgeType = { GAP: 0, ACCEPT: 1, RELEASE: 2, REJECT: 3, RENEW: 4 } as const

/** Records that were acquired together. */
export interface AcquiredRecords {
  readonly firstOffset: number
  readonly lastOffset: number
  readonly deliveryCount: number
}

/** A batch of the log, as it was read. */
export interface FetchedBatch {
  readonly first: number
  readonly last: number
  /** Its transaction was aborted, and the group does not want such records. */
  readonly aborted: boolean
}

/** Somebody wants records. */
export interface Acquisition {
  readonly memberId: string
  /** From where on `batches` were read: what is missing between them is not in the log. */
  readonly fetchOffset: number
  /** Ascending. */
  readonly batches: readonly FetchedBatch[]
  readonly maxRecords: number
  /** Never more than `maxRecords`; otherwise the last batch is acquired whole. KIP-1206. */
  readonly exact: boolean
  /** New records are told in groups of about this many. */
  readonly batchSize: number
  readonly nowMs: number
}

/** What the group's settings allow. */
export interface ShareLimits {
  /** Records in flight, at most. */
  readonly locksMax: number
  readonly lockMs: number
  readonly deliveriesMax: number
}

/** Some offsets, and one type for all of them or one for each. */
export interface AcknowledgementBatch {
  readonly firstOffset: number
  readonly lastOffset: number
  readonly acknowledgeTypes: readonly number[]
}

/** How an acknowledgement ended. After an error nothing has changed. */
export interface Acknowledged {
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
  /** What is to be logged. */
  readonly changes: readonly StateBatch[]
}

interface InFlight {
  readonly state: RecordState
  readonly deliveryCount: number
  /** Who has acquired it; '': nobody. */
  readonly memberId: string
  /** Monotonic milliseconds; 0 where it is not acquired. */
  readonly lockedUntilMs: number
}

const AVAILABLE: InFlight = {
  state: RecordState.AVAILABLE,
  deliveryCount: 0,
  memberId: '',
  lockedUntilMs: 0,
}

/** Offsets that the log does not have, or whose transaction was aborted. */
const NOTHING: InFlight = { ...AVAILABLE, state: RecordState.ARCHIVED }

/** Lives on the coordinator's thread. Its size is bounded by `share.partition.max.record.locks`. */
export class SharePartition {
  #startOffset: number
  readonly #inFlight = new RangeList<InFlight>(alike)

  /** As it was logged; what was acquired then is available again. */
  constructor(startOffset: number, batches: readonly StateBatch[]) {
    this.#startOffset = startOffset
    const last = batches.reduce((end, { lastOffset }) => Math.max(end, lastOffset), startOffset - 1)
    if (last >= startOffset) this.#inFlight.set(startOffset, last, AVAILABLE)
    for (const { firstOffset, lastOffset, deliveryState, deliveryCount } of batches) {
      const state = deliveryState as RecordState
      if (lastOffset < startOffset) continue
      this.#inFlight.set(firstOffset, lastOffset, { ...AVAILABLE, state, deliveryCount })
    }
    this.#inFlight.dropBelow(startOffset)
    this.#advance()
  }

  get startOffset(): number {
    return this.#startOffset
  }

  /** The last offset that has a state; startOffset - 1: none has. */
  get endOffset(): number {
    return this.#inFlight.last ?? this.#startOffset - 1
  }

  /** Records from `startOffset` on that are done with. */
  get deliveryCompleteCount(): number {
    let count = 0
    for (const { first, last, value } of this.#inFlight.all) {
      if (isDone(value)) count += last - first + 1
    }
    return count
  }

  /** The first offset that might be acquired. */
  get nextFetchOffset(): number {
    return this.#firstAvailable ?? this.endOffset + 1
  }

  /** Whether records wait for being delivered again. */
  get hasAvailable(): boolean {
    return this.#firstAvailable !== undefined
  }

  get #firstAvailable(): number | undefined {
    return this.#inFlight.all.find(({ value }) => value.state === RecordState.AVAILABLE)?.first
  }

  /** Whether records that were never delivered may be acquired. */
  hasRoom({ locksMax }: ShareLimits): boolean {
    return this.endOffset - this.#startOffset + 1 < locksMax
  }

  /** When the first lock ends, monotonic milliseconds; undefined: nothing is acquired. */
  nextUnlockMs(): number | undefined {
    let next: number | undefined
    for (const { value } of this.#inFlight.all) {
      if (value.state !== RecordState.ACQUIRED) continue
      next = Math.min(next ?? Infinity, value.lockedUntilMs)
    }
    return next
  }

  /** Gives records to a member. Nothing of it is logged. */
  acquire(asked: Acquisition, limits: ShareLimits): AcquiredRecords[] {
    this.#leaveOutGaps(asked)
    const acquired: AcquiredRecords[] = []
    const count = this.#acquireAgain(asked, limits, acquired)
    this.#acquireNew(asked, limits, count, acquired)
    this.#advance()
    return acquired
  }

  /** Takes in what a member says of records that it has. */
  acknowledge(
    memberId: string,
    batches: readonly AcknowledgementBatch[],
    limits: ShareLimits,
    nowMs: number,
  ): Acknowledged {
    const refusal = this.#refusal(memberId, batches)
    if (refusal !== undefined) return refusal
    const changes: StateBatch[] = []
    for (const { first, last, type } of runsOf(batches)) {
      for (const range of this.#inFlight.within(first, last)) {
        if (type === AcknowledgeType.RENEW) this.#renew(range, nowMs + limits.lockMs)
        else changes.push(this.#settle(range, stateAfter(type, range.value, limits)))
      }
    }
    this.#advance()
    return { ...ACKNOWLEDGED, changes }
  }

  /** Takes back what a member has; answers what is to be logged. */
  release(memberId: string, limits: ShareLimits): StateBatch[] {
    return this.#releaseAll(({ memberId: owner }) => owner === memberId, limits)
  }

  /** Takes back what was acquired for too long; answers what is to be logged. */
  unlock(nowMs: number, limits: ShareLimits): StateBatch[] {
    return this.#releaseAll(({ lockedUntilMs }) => lockedUntilMs <= nowMs, limits)
  }

  /** The log begins later now: what was below is done with. */
  onLogStart(logStartOffset: number): void {
    if (logStartOffset <= this.#startOffset) return
    this.#startOffset = logStartOffset
    this.#inFlight.dropBelow(logStartOffset)
    this.#advance()
  }

  #leaveOutGaps({ fetchOffset, batches }: Acquisition): void {
    let next = Math.max(fetchOffset, this.#startOffset)
    for (const { first, last } of batches) {
      if (first > next) {
        for (const gap of this.#inFlight.within(next, first - 1)) {
          if (gap.value.state !== RecordState.AVAILABLE) continue
          this.#inFlight.set(gap.first, gap.last, NOTHING)
        }
      }
      next = Math.max(next, last + 1)
    }
  }

  #acquireAgain(asked: Acquisition, limits: ShareLimits, acquired: AcquiredRecords[]): number {
    const { batches, maxRecords, exact, batchSize } = asked
    let count = 0
    for (const batch of batches) {
      for (const { first, last, value } of this.#inFlight.within(batch.first, batch.last)) {
        if (value.state !== RecordState.AVAILABLE) continue
        if (batch.aborted) {
          this.#inFlight.set(first, last, { ...NOTHING, deliveryCount: value.deliveryCount })
          continue
        }
        if (count >= maxRecords) return count
        const to = exact ? Math.min(last, first + maxRecords - count - 1) : last
        const deliveryCount = value.deliveryCount + 1
        this.#inFlight.set(first, to, lockedBy(asked, limits, deliveryCount))
        addAcquired(acquired, { firstOffset: first, lastOffset: to, deliveryCount }, batchSize)
        count += to - first + 1
      }
    }
    return count
  }

  /** `count`: acquired before, out of the same `maxRecords`. */
  #acquireNew(
    asked: Acquisition,
    limits: ShareLimits,
    count: number,
    acquired: AcquiredRecords[],
  ): void {
    const room = limits.locksMax - (this.endOffset - this.#startOffset + 1)
    let left = Math.min(asked.maxRecords - count, room)
    for (const batch of asked.batches) {
      const next = this.endOffset + 1
      if (batch.last < next) continue
      if (left <= 0) return
      const first = Math.max(batch.first, next)
      if (first > next) this.#inFlight.set(next, first - 1, NOTHING)
      if (batch.aborted) {
        this.#inFlight.set(first, batch.last, NOTHING)
        continue
      }
      const last = asked.exact ? Math.min(batch.last, first + left - 1) : batch.last
      this.#inFlight.set(first, last, lockedBy(asked, limits, 1))
      addAcquired(
        acquired,
        { firstOffset: first, lastOffset: last, deliveryCount: 1 },
        asked.batchSize,
      )
      left -= last - first + 1
    }
  }

  #refusal(memberId: string, batches: readonly AcknowledgementBatch[]): Acknowledged | undefined {
    const { endOffset } = this
    let previousLast = -1
    for (const { firstOffset, lastOffset } of batches) {
      if (lastOffset < this.#startOffset) continue
      if (firstOffset > endOffset) return refused(ErrorCode.INVALID_REQUEST, pastEnd('first'))
      if (lastOffset > endOffset) return refused(ErrorCode.INVALID_REQUEST, pastEnd('last'))
      if (firstOffset <= previousLast) return refused(ErrorCode.INVALID_RECORD_STATE, NOT_ACQUIRED)
      previousLast = lastOffset
      for (const { value } of this.#inFlight.within(firstOffset, lastOffset)) {
        if (value.state !== RecordState.ACQUIRED) {
          return refused(ErrorCode.INVALID_RECORD_STATE, NOT_ACQUIRED)
        }
        if (value.memberId !== memberId) {
          return refused(ErrorCode.INVALID_RECORD_STATE, 'Member is not the owner of offset')
        }
      }
    }
    return undefined
  }

  #releaseAll(which: (value: InFlight) => boolean, limits: ShareLimits): StateBatch[] {
    const changes: StateBatch[] = []
    for (const range of [...this.#inFlight.all]) {
      const { value } = range
      if (value.state !== RecordState.ACQUIRED || !which(value)) continue
      changes.push(this.#settle(range, stateAfter(AcknowledgeType.RELEASE, value, limits)))
    }
    this.#advance()
    return changes
  }

  #settle({ first, last, value }: Range<InFlight>, state: RecordState): StateBatch {
    const { deliveryCount } = value
    this.#inFlight.set(first, last, { ...AVAILABLE, state, deliveryCount })
    return { firstOffset: first, lastOffset: last, deliveryState: state, deliveryCount }
  }

  #renew({ first, last, value }: Range<InFlight>, lockedUntilMs: number): void {
    this.#inFlight.set(first, last, { ...value, lockedUntilMs })
  }

  #advance(): void {
    for (;;) {
      const first = this.#inFlight.all[0]
      if (first === undefined || !isDone(first.value)) return
      this.#startOffset = first.last + 1
      this.#inFlight.dropBelow(this.#startOffset)
    }
  }
}

const ACKNOWLEDGED: Acknowledged = { errorCode: ErrorCode.NONE, errorMessage: null, changes: [] }

const NOT_ACQUIRED = 'The offset cannot be acknowledged. The offset is not acquired.'

function pastEnd(which: 'first' | 'last'): string {
  return `Batch record not found. The ${which} offset in request is past acquired records.`
}

function refused(errorCode: ErrorCode, errorMessage: string): Acknowledged {
  return { errorCode, errorMessage, changes: [] }
}

function alike(a: InFlight, b: InFlight): boolean {
  return (
    a.state === b.state &&
    a.deliveryCount === b.deliveryCount &&
    a.memberId === b.memberId &&
    a.lockedUntilMs === b.lockedUntilMs
  )
}

function isDone({ state }: InFlight): boolean {
  return state === RecordState.ACKNOWLEDGED || state === RecordState.ARCHIVED
}

function lockedBy(
  { memberId, nowMs }: Acquisition,
  { lockMs }: ShareLimits,
  deliveryCount: number,
): InFlight {
  return { state: RecordState.ACQUIRED, deliveryCount, memberId, lockedUntilMs: nowMs + lockMs }
}

/** A record that is given back too often is archived. */
function stateAfter(type: number, value: InFlight, { deliveriesMax }: ShareLimits): RecordState {
  if (type === AcknowledgeType.ACCEPT) return RecordState.ACKNOWLEDGED
  const again = type === AcknowledgeType.RELEASE && value.deliveryCount < deliveriesMax
  return again ? RecordState.AVAILABLE : RecordState.ARCHIVED
}

/** Offsets with one type each, as ranges with one type. */
function* runsOf(
  batches: readonly AcknowledgementBatch[],
): Generator<{ first: number; last: number; type: number }> {
  for (const { firstOffset, lastOffset, acknowledgeTypes } of batches) {
    if (acknowledgeTypes.length === 1) {
      yield { first: firstOffset, last: lastOffset, type: acknowledgeTypes[0]! }
      continue
    }
    let from = 0
    for (let i = 1; i <= acknowledgeTypes.length; i++) {
      const type = acknowledgeTypes[from]!
      if (i < acknowledgeTypes.length && acknowledgeTypes[i] === type) continue
      yield { first: firstOffset + from, last: firstOffset + i - 1, type }
      from = i
    }
  }
}

/** Small neighbours are told as one. */
function addAcquired(list: AcquiredRecords[], next: AcquiredRecords, batchSize: number): void {
  const last = list[list.length - 1]
  const joins =
    last !== undefined &&
    last.lastOffset + 1 === next.firstOffset &&
    last.deliveryCount === next.deliveryCount &&
    next.lastOffset - last.firstOffset < batchSize
  if (joins) list[list.length - 1] = { ...last, lastOffset: next.lastOffset }
  else list.push(next)
}
