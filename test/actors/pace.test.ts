/** Compaction makes room for clients, and only for them. */
import test from 'ava'
import { ConsideratePace } from '../../src/actors/pace.ts'

/** How long work of `workMs` takes that asks every hundredth of a millisecond. */
function elapsedMs(
  pace: ConsideratePace,
  clock: { nowMs: number },
  workMs: number,
  onStep: () => void = () => {},
): number {
  const fromMs = clock.nowMs
  for (let step = 0; step < workMs * 100; step++) {
    clock.nowMs += 0.01
    onStep()
    clock.nowMs += pace.pauseMs()
  }
  return clock.nowMs - fromMs
}

test('work pauses for two thirds of the time while clients come, and goes on when they do not', (t) => {
  const clock = { nowMs: 5 }
  let accesses = 7
  const pace = new ConsideratePace(
    () => clock.nowMs,
    () => accesses,
  )
  t.is(Math.round(elapsedMs(pace, clock, 100)), 100, 'nobody came')
  const busyMs = elapsedMs(pace, clock, 100, () => accesses++)
  t.true(busyMs > 250 && busyMs < 310, `${busyMs} ms`)
  // They may come again for a second.
  const afterMs = elapsedMs(pace, clock, 1000)
  t.true(afterMs > 1500 && afterMs < 1900, `${afterMs} ms`)
  t.is(Math.round(elapsedMs(pace, clock, 100)), 100)
  // Who came while there was no work does not hold it up.
  accesses++
  clock.nowMs += 1500
  t.is(Math.round(elapsedMs(pace, clock, 100)), 100)
})
