import test from 'ava'
import {
  FetchSessionCache,
  type FetchTarget,
  SESSION_EVICTION_MS,
  SESSION_TARGETS_MAX,
  type SessionPlan,
} from '../../src/broker/fetch-session.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'

function targets(count: number, first = 0): FetchTarget[] {
  return Array.from({ length: count }, (_, i) => ({
    topic: 't',
    partition: first + i,
    fetchOffset: 0,
    maxBytes: 1,
    currentLeaderEpoch: -1,
    lastFetchedEpoch: -1,
    sentHighWatermark: -1,
    sentLogStartOffset: -1,
  }))
}

class Bench {
  nowMs = 0
  #next = 0
  readonly cache: FetchSessionCache

  constructor(slots: number) {
    this.cache = new FetchSessionCache(
      () => slots,
      () => (this.#next += 0.001),
    )
  }

  /** A full fetch that asks for a session; its id, or undefined: there is none. */
  open(count: number): number | undefined {
    const plan = this.fetch(0, 0, targets(count))
    return plan.kind === 'full' ? plan.session?.id : undefined
  }

  fetch(sessionId: number, sessionEpoch: number, asked: FetchTarget[]): SessionPlan {
    const request = { sessionId, sessionEpoch, usesTopicIds: false, targets: asked, forgotten: [] }
    return this.cache.plan(request, this.nowMs)
  }
}

test('sessions remember so many partitions together and no more', (t) => {
  const full = new Bench(1000)
  const first = full.open(SESSION_TARGETS_MAX - 10)
  t.not(first, undefined)
  t.not(full.open(10), undefined)
  t.is(full.open(1), undefined, 'who asks for more is served without a session')
  full.fetch(first as number, -1, [])
  t.not(full.open(1), undefined, 'a closed session makes room')
})

test('a session that grows beyond the bound is forgotten, and the client begins again', (t) => {
  const bench = new Bench(1000)
  const id = bench.open(10) as number
  const plan = bench.fetch(id, 1, targets(SESSION_TARGETS_MAX, 10))
  t.deepEqual(plan, { kind: 'refused', errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND })
  t.is(bench.cache.count, 0)
  t.not(bench.open(SESSION_TARGETS_MAX), undefined, 'its partitions are not counted any more')
})

test('sessions that were not used for long make room, those in use do not', (t) => {
  const bench = new Bench(2)
  bench.open(SESSION_TARGETS_MAX / 2)
  bench.open(SESSION_TARGETS_MAX / 2)
  t.is(bench.open(1), undefined)
  bench.nowMs = SESSION_EVICTION_MS + 1
  t.not(bench.open(SESSION_TARGETS_MAX), undefined)
  t.is(bench.cache.count, 1)
})

test('without slots there are no sessions', (t) => {
  t.is(new Bench(0).open(1), undefined)
})
