/** A share partition as a list of offsets, each with its state: slow, and simple to believe. */
import type { AcquiredRecords, ShareLimits } from '../../src/coordinator/share/share-partition.ts'

interface Offset {
  state: 'available' | 'acquired' | 'accepted' | 'archived'
  count: number
  member: string
  until: number
  /** What a start would find. */
  kept: { state: 'available' | 'accepted' | 'archived'; count: number } | undefined
}

const NEW: Offset = { state: 'available', count: 0, member: '', until: 0, kept: undefined }

export class NaiveSharePartition {
  start = 0
  /** By offset, from 0 on. */
  #offsets: Offset[] = []

  get end(): number {
    return Math.max(this.#offsets.length, this.start) - 1
  }

  get completeCount(): number {
    return this.#offsets.slice(this.start).filter(({ state }) => isDone(state)).length
  }

  get next(): number {
    const at = this.#offsets.findIndex(({ state }, i) => i >= this.start && state === 'available')
    return at < 0 ? this.end + 1 : at
  }

  /** Every offset that has a state, as text. */
  text(): string {
    return this.#offsets
      .slice(this.start)
      .map(({ state, count, member }) => `${state[0]}${state[1]}${count}${member}`)
      .join(' ')
  }

  acquire(
    asked: {
      memberId: string
      from: number
      batches: readonly { first: number; last: number }[]
      maxRecords: number
      exact: boolean
      nowMs: number
    },
    limits: ShareLimits,
  ): Map<number, number> {
    const { batches } = asked
    const last = batches[batches.length - 1]?.last ?? -1
    const acquired = new Map<number, number>()
    const inLog = (offset: number) => batches.some((b) => b.first <= offset && offset <= b.last)
    for (let offset = Math.max(asked.from, this.start); offset <= last; offset++) {
      const known = this.#offsets[offset]
      if (known?.state === 'available' && !inLog(offset)) known.state = 'archived'
    }
    const take = (offset: number) => {
      const known = this.#offsets[offset]!
      known.state = 'acquired'
      known.count++
      known.member = asked.memberId
      known.until = asked.nowMs + limits.lockMs
      acquired.set(offset, known.count)
    }
    for (const batch of batches) {
      // Equal neighbours in a batch are acquired together, unless exactly so many are asked.
      let run: string | undefined
      for (let offset = Math.max(batch.first, this.start); offset <= batch.last; offset++) {
        const known = this.#offsets[offset]
        if (known === undefined) break
        const key = known.state === 'available' ? String(known.count) : undefined
        const full = acquired.size >= asked.maxRecords
        if (key !== undefined && (!full || (!asked.exact && key === run))) {
          take(offset)
          run = key
        } else run = undefined
      }
    }
    const room = limits.locksMax - (this.end - this.start + 1)
    const most = Math.min(asked.maxRecords - acquired.size, room)
    let taken = 0
    for (const batch of batches) {
      if (batch.last <= this.end) continue
      if (taken >= most) break
      const first = Math.max(batch.first, this.end + 1)
      for (let gap = this.end + 1; gap < first; gap++)
        this.#offsets[gap] = { ...NEW, state: 'archived' }
      for (let offset = first; offset <= batch.last; offset++) {
        if (asked.exact && taken >= most) break
        this.#offsets[offset] = { ...NEW }
        take(offset)
        taken++
      }
    }
    this.#advance()
    return acquired
  }

  /** Whether the member has all of it. */
  has(memberId: string, first: number, last: number): boolean {
    for (let offset = Math.max(first, this.start); offset <= last; offset++) {
      const known = this.#offsets[offset]
      if (known?.state !== 'acquired' || known.member !== memberId) return false
    }
    return true
  }

  acknowledge(first: number, last: number, type: number, limits: ShareLimits, nowMs: number): void {
    for (let offset = Math.max(first, this.start); offset <= last; offset++) {
      const known = this.#offsets[offset]!
      if (type === 4) known.until = nowMs + limits.lockMs
      else this.#settle(known, type, limits)
    }
    this.#advance()
  }

  release(which: (known: { member: string; until: number }) => boolean, limits: ShareLimits): void {
    for (const known of this.#offsets.slice(this.start)) {
      if (known.state === 'acquired' && which(known)) this.#settle(known, 2, limits)
    }
    this.#advance()
  }

  moveStart(offset: number): void {
    if (offset <= this.start) return
    this.start = offset
    while (this.#offsets.length < offset) this.#offsets.push({ ...NEW, state: 'archived' })
    this.#advance()
  }

  /** As after a start: what was acquired and what was never logged is as it was logged last. */
  restart(loggedStart: number): void {
    this.start = loggedStart
    let last = -1
    this.#offsets.forEach(({ kept }, i) => {
      if (kept !== undefined) last = i
    })
    this.#offsets = this.#offsets
      .slice(0, Math.max(last + 1, loggedStart))
      .map(({ kept }) => ({ ...NEW, ...kept, kept }))
    this.#advance()
  }

  #settle(known: Offset, type: number, limits: ShareLimits): void {
    const again = type === 2 && known.count < limits.deliveriesMax
    known.state = type === 1 ? 'accepted' : again ? 'available' : 'archived'
    known.member = ''
    known.until = 0
    known.kept = { state: known.state, count: known.count }
  }

  #advance(): void {
    for (;;) {
      const known = this.#offsets[this.start]
      if (known === undefined || !isDone(known.state)) return
      this.start++
    }
  }
}

/** What a share partition answers, by offset. */
export function countsOf(acquired: readonly AcquiredRecords[]): Map<number, number> {
  const counts = new Map<number, number>()
  for (const { firstOffset, lastOffset, deliveryCount } of acquired) {
    for (let offset = firstOffset; offset <= lastOffset; offset++) counts.set(offset, deliveryCount)
  }
  return counts
}

function isDone(state: string): boolean {
  return state === 'accepted' || state === 'archived'
}
