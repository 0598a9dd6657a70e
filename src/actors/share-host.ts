/** What share partitions are given of the coordinator's thread: their logs, and their state. */
import type { LogAhead, LogWaiter, ShareHost } from '../coordinator/share/host.ts'
import type { ShareStateService } from '../coordinator/share/state-service.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { CoordinatorParts } from './coordinator.ts'
import type { CoordinatorTopic } from './coordinator-topic.ts'
import { groupConfigsOf } from './group-configs.ts'

/** Looking ahead counts no further than this. */
const AHEAD_BYTES_MAX = 0x7fffffff

type Asked = Parameters<ShareHost['lookAhead']>[0][number]

/** What share partitions need of their thread. */
export function shareHostOf(
  parts: CoordinatorParts,
  states: ShareStateService,
  topic: CoordinatorTopic,
): ShareHost {
  const { image, clock } = parts
  return {
    image,
    groupConfig: groupConfigsOf(image),
    monotonicMs: () => clock.monotonicMs(),
    wallMs: () => clock.wallMs(),
    after: (delayMs, then) => parts.after(delayMs, then),
    readState: (key, done) => {
      topic.ready((problem) => {
        if (problem !== ErrorCode.NONE) {
          done(problem)
          return
        }
        const { errorCode, state } = states.read(key)
        done(errorCode, state)
      })
    },
    writeState: (key, write, done) => states.write(key, write, done),
    findOffset: ({ thread, slot }, { timestamp, readCommitted }, done) => {
      const asked = [{ slot, timestamp, currentLeaderEpoch: -1 }]
      const command = { kind: 'list-offsets' as const, readCommitted, partitions: asked }
      parts.callPartitions(thread, command, (found) => {
        const first = found?.[0]
        if (first === undefined) done(ErrorCode.KAFKA_STORAGE_ERROR, -1)
        else done(first.errorCode as ErrorCode, first.offset)
      })
    },
    lookAhead: (asked, readCommitted, done) => lookAhead(parts, asked, readCommitted, done),
    waitFor: (waiter: LogWaiter) => parts.waiters.add(waiter),
    stopWaiting: (waiter: LogWaiter) => parts.waiters.remove(waiter),
  }
}

/** Each thread gets one order with all that is asked of its partitions. */
function lookAhead(
  parts: CoordinatorParts,
  asked: readonly Asked[],
  readCommitted: boolean,
  done: (ahead: readonly LogAhead[]) => void,
): void {
  const places = new Map<number, number[]>()
  for (const [at, { partition }] of asked.entries()) {
    const others = places.get(partition.thread)
    if (others === undefined) places.set(partition.thread, [at])
    else others.push(at)
  }
  const ahead: LogAhead[] = []
  let open = places.size + 1
  const onOne = () => {
    open--
    if (open === 0) done(ahead)
  }
  for (const [thread, all] of places) {
    const order = {
      readCommitted,
      measure: true as const,
      watch: true,
      maxBytes: AHEAD_BYTES_MAX,
      partitions: all.map((at) => ({
        slot: asked[at]!.partition.slot,
        maxBytes: AHEAD_BYTES_MAX,
        fetchOffset: asked[at]!.fetchOffset,
        currentLeaderEpoch: -1,
        lastFetchedEpoch: -1,
      })),
    }
    parts.readPartitions(thread, order, (results) => {
      for (const [i, at] of all.entries()) {
        const { errorCode, availableBytes } = results[i]!
        ahead[at] = { errorCode, bytes: availableBytes }
      }
      onOne()
    })
  }
  onOne()
}
