/** The timing wheel against a list of deadlines. */
import test from 'ava'
import fc from 'fast-check'
import { TimerWheel, type WheelTimer } from '../../src/base/timer-wheel.ts'

const TICK_MS = 10

test('a timer fires once, not before its deadline and a tick late at most', (t) => {
  const delay = fc.oneof(
    fc.integer({ min: 0, max: 3000 }),
    fc.integer({ min: 0, max: 10_000_000 }),
    fc.constant(40_000_000_000),
  )
  const step = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), delay }),
    fc.record({ kind: fc.constant('move' as const), which: fc.nat(), delay }),
    fc.record({ kind: fc.constant('cancel' as const), which: fc.nat() }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 200_000 }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.nat({ max: 1e9 }), (steps, startMs) => {
      let nowMs = startMs
      const wheel = new TimerWheel<number>(nowMs)
      const timers: WheelTimer<number>[] = []
      const due = new Map<number, number>()
      const fired: number[] = []
      for (const one of steps) {
        if (one.kind === 'set') {
          const id = timers.length
          timers.push(wheel.schedule(nowMs + one.delay, id))
          due.set(id, nowMs + one.delay)
        } else if (one.kind === 'pass') {
          nowMs += one.ms
          wheel.advance(nowMs, (id) => fired.push(id))
          for (const id of fired.splice(0)) {
            if ((due.get(id) ?? Infinity) > nowMs) return false
            due.delete(id)
          }
          for (const deadlineMs of due.values()) {
            if (deadlineMs + 2 * TICK_MS <= nowMs) return false
          }
        } else if (timers.length > 0) {
          const id = one.which % timers.length
          const timer = timers[id]!
          if (one.kind === 'cancel') {
            wheel.cancel(timer)
            due.delete(id)
          } else if (due.has(id)) {
            wheel.move(timer, nowMs + one.delay)
            due.set(id, nowMs + one.delay)
          }
        }
        const next = wheel.nextMs()
        if (wheel.size !== due.size || (next === undefined) !== (due.size === 0)) return false
      }
      return true
    }),
    { numRuns: 300 },
  )
  t.pass()
})

test('nothing is due before the time that the wheel names', (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5_000_000 }), { minLength: 1 }), (delays) => {
      const wheel = new TimerWheel<number>(0)
      for (const delay of delays) wheel.schedule(delay, delay)
      let nowMs = 0
      let count = 0
      while (wheel.size > 0) {
        const next = wheel.nextMs()!
        if (next <= nowMs) return false
        wheel.advance(next - 1, () => count++)
        if (count > 0) return false
        nowMs = next
        wheel.advance(nowMs, () => count++)
        count = 0
      }
      return true
    }),
    { numRuns: 100 },
  )
  t.pass()
})

test('what fires may cancel its neighbour and set another timer', (t) => {
  const wheel = new TimerWheel<string>(0)
  const fired: string[] = []
  const neighbour = wheel.schedule(100, 'neighbour')
  const first = new TimerWheel<string>(0)
  t.is(first.nextMs(), undefined)
  wheel.cancel(neighbour)
  const timers = ['a', 'b'].map((name) => wheel.schedule(100, name))
  wheel.advance(100, (name) => {
    fired.push(name)
    for (const timer of timers) wheel.cancel(timer)
    if (fired.length === 1) wheel.schedule(150, 'later')
  })
  t.deepEqual(fired, ['a'])
  wheel.advance(200, (name) => fired.push(name))
  t.deepEqual(fired, ['a', 'later'])
  t.is(wheel.size, 0)
})
