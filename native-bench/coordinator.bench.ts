/** The group coordinator without its log and its sockets, and its timers. */
import { TimerWheel, type WheelTimer } from '../src/base/timer-wheel.ts'
import { ZERO_UUID } from '../src/base/uuid.ts'
import { effectiveGroup, groupDefaults } from '../src/config/effective.ts'
import type {
  CommandOf,
  GroupAnswers,
  GroupCommandKind,
} from '../src/coordinator/group/commands.ts'
import { GroupService } from '../src/coordinator/group/service.ts'
import { ErrorCode } from '../src/protocol/errors.ts'
import { MemoryShareStates } from '../test/coordinator/memory-share-states.ts'
import { addTopic, emptyImage } from '../test/support/cluster.ts'
import type { Suite } from './harness.ts'

const GROUPS = 10_000
const TIMERS = 100_000
const TIMES = 1000
const SESSION_MS = 45_000
const TICK_MS = 10

export function coordinator(): Suite {
  const groups = new BenchGroups()
  const full = new BenchWheel(TIMERS)
  const empty = new BenchWheel(1)
  return {
    tasks: [
      {
        name: 'coordinator: a heartbeat, 10,000 groups',
        times: TIMES,
        limit: 'memcpy 1 KiB',
        run: () => groups.each((number) => groups.heartbeat(number)),
      },
      {
        name: 'coordinator: a commit of one offset',
        times: TIMES,
        limit: 'memcpy 1 KiB',
        run: () => groups.each((number) => groups.commit(number)),
      },
      {
        name: 'timers: one tick, one pending',
        times: TIMES,
        run: () => {
          for (let i = 0; i < TIMES; i++) empty.tick()
        },
      },
      {
        name: 'timers: one tick, 100,000 pending',
        times: TIMES,
        limit: 'timers: one tick, one pending',
        run: () => {
          for (let i = 0; i < TIMES; i++) full.tick()
        },
      },
      {
        name: 'timers: set and cancel, 100,000 pending',
        times: TIMES,
        limit: 'memcpy 1 KiB',
        run: () => {
          for (let i = 0; i < TIMES; i++) full.setAndCancel(i)
        },
      },
      {
        name: 'timers: put off, 100,000 pending',
        times: TIMES,
        limit: 'memcpy 1 KiB',
        run: () => {
          for (let i = 0; i < TIMES; i++) full.putOff()
        },
      },
    ],
  }
}

/** Timers that are put off before they fire, as sessions are: those of a tick in each tick. */
class BenchWheel {
  readonly #wheel = new TimerWheel<number>(0)
  readonly #timers: WheelTimer<number>[] = []
  #nowMs = 0
  #next = 0

  constructor(count: number) {
    for (let i = 0; i < count; i++) {
      this.#timers.push(this.#wheel.schedule((i / count) * SESSION_MS + SESSION_MS, i))
    }
  }

  tick(): void {
    this.#nowMs += TICK_MS
    this.#wheel.advance(this.#nowMs, (number) => {
      this.#timers[number] = this.#wheel.schedule(this.#nowMs + SESSION_MS, number)
    })
  }

  setAndCancel(number: number): void {
    this.#wheel.cancel(this.#wheel.schedule(this.#nowMs + 100 + number * TICK_MS, -1))
  }

  putOff(): void {
    this.#next = (this.#next + 1) % this.#timers.length
    const timer = this.#timers[this.#next] as WheelTimer<number>
    this.#wheel.move(timer, this.#nowMs + SESSION_MS)
  }
}

/** Groups of one member each; appends are accepted and forgotten. */
class BenchGroups {
  readonly #service: GroupService
  readonly #members: { groupId: string; memberId: string }[] = []
  #next = 0

  constructor() {
    const image = emptyImage({ configs: {} })
    addTopic(image, 't', { partitions: 1 })
    const config = effectiveGroup(new Map(), groupDefaults(image.brokerConfig))
    this.#service = new GroupService({
      image,
      random: Math.random,
      createTopics: () => undefined,
      shareStates: new MemoryShareStates(),
      regexEngine: () => undefined,
      groupConfig: () => config,
      now: () => ({ wallMs: Date.now(), monotonicMs: performance.now() }),
      host: {
        append: (_, __, done) => done(ErrorCode.NONE),
        appendMarker: (_, __, done) => done(ErrorCode.NONE),
        reload: () => {},
      },
    })
    this.#service.coordinator.partitionCount = 1
    this.#service.runtime.beginLoad(0)
    this.#service.runtime.finishLoad(0)
    for (let i = 0; i < GROUPS; i++) this.#members.push(this.#join(`group-${i}`))
  }

  each(work: (number: number) => void): void {
    for (let i = 0; i < TIMES; i++) {
      this.#next = (this.#next + 1) % GROUPS
      work(this.#next)
    }
  }

  heartbeat(number: number): void {
    const { groupId, memberId } = this.#members[number] as { groupId: string; memberId: string }
    const request = { groupId, memberId, generationId: 1, groupInstanceId: null }
    this.#send('heartbeat', 4, request, ({ errorCode }) => expectNone(errorCode))
  }

  commit(number: number): void {
    const { groupId, memberId } = this.#members[number] as { groupId: string; memberId: string }
    const one = { partitionIndex: 0, committedOffset: number, committedLeaderEpoch: -1 }
    const request = {
      groupId,
      memberId,
      generationIdOrMemberEpoch: 1,
      groupInstanceId: null,
      retentionTimeMs: -1,
      topics: [
        { name: 't', topicId: ZERO_UUID, partitions: [{ ...one, committedMetadata: null }] },
      ],
    }
    this.#send('offset-commit', 9, request, ({ topics }) => {
      expectNone(topics?.[0]?.partitions?.[0]?.errorCode)
    })
  }

  #join(groupId: string): { groupId: string; memberId: string } {
    let memberId = ''
    const request = {
      groupId,
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: SESSION_MS,
      memberId,
      groupInstanceId: null,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.alloc(10) }],
      reason: null,
    }
    // Before version 4 no member has to come twice.
    this.#send('join-group', 3, request, (answer) => {
      expectNone(answer.errorCode)
      memberId = answer.memberId ?? ''
    })
    const sync = { groupId, memberId, generationId: 1, groupInstanceId: null }
    const assignments = [{ memberId, assignment: Buffer.alloc(10) }]
    const names = { protocolType: null, protocolName: null }
    this.#send('sync-group', 3, { ...sync, ...names, assignments }, ({ errorCode }) => {
      expectNone(errorCode)
    })
    return { groupId, memberId }
  }

  #send<K extends GroupCommandKind>(
    kind: K,
    apiVersion: number,
    request: CommandOf<K>['request'],
    answer: (response: GroupAnswers[K]) => void,
  ): void {
    const command = { kind, apiVersion, clientId: 'bench', clientHost: '/127.0.0.1', request }
    this.#service.onCommand(command as never, answer as never)
  }
}

function expectNone(errorCode: number | undefined): void {
  if ((errorCode ?? ErrorCode.NONE) !== ErrorCode.NONE) throw new Error(`error ${errorCode}`)
}
