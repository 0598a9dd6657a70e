/** The runtime with a machine that counts: order, durability, loading, timers. */
import test from 'ava'
import {
  type CoordinatorRecord,
  CoordinatorRuntime,
  recordOf,
  type Turn,
} from '../../src/coordinator/runtime.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import { GroupMetadata } from '../../src/protocol/records/group-metadata.ts'

const PARTITION = 3

/** A log that answers when it is told to, and a machine that remembers groups it was told of. */
class World {
  nowMs = 1000
  readonly groups: string[] = []
  readonly written: number[] = []
  readonly reloads: number[] = []
  /** Appends that wait for their flush. */
  readonly waiting: ((errorCode: ErrorCode) => void)[] = []
  /** undefined: an append waits. */
  outcome: ErrorCode | undefined = ErrorCode.NONE
  readonly runtime = new CoordinatorRuntime({
    machine: {
      replay: ({ key }) => this.groups.push((key as { group: string }).group),
      onTransactionEnd: () => {},
      onLoaded: (turn) => turn.setTimer('loaded', 100, (later) => later.change(record('timer'))),
      onUnloaded: () => this.groups.splice(0),
    },
    host: {
      append: (_, { records }, done) => {
        if (this.outcome === undefined) this.waiting.push(done)
        if (this.outcome !== undefined && this.outcome !== ErrorCode.NONE) {
          done(this.outcome)
          return
        }
        this.written.push(records.length)
        if (this.outcome === ErrorCode.NONE) done(ErrorCode.NONE)
      },
      appendMarker: (_, { commit }, done) => {
        if (this.outcome === undefined) this.waiting.push(done)
        else {
          if (this.outcome === ErrorCode.NONE) this.written.push(commit ? -1 : -2)
          done(this.outcome)
        }
      },
      reload: (partition) => this.reloads.push(partition),
    },
    now: () => ({ wallMs: this.nowMs, monotonicMs: this.nowMs }),
  })

  load(): this {
    this.runtime.beginLoad(PARTITION)
    this.runtime.finishLoad(PARTITION)
    return this
  }

  /** Runs a turn with one record and tells what was answered, and when. */
  add(group: string, answers: string[]): void {
    this.runtime.run(PARTITION, (turn) => {
      turn.change(record(group))
      answer(turn, group, answers)
    })
  }
}

function record(group: string): CoordinatorRecord {
  return recordOf(GroupMetadata, { group }, null)
}

function answer(turn: Turn, text: string, answers: string[]): void {
  turn.answer(
    (response: string) => answers.push(response),
    text,
    (errorCode) => `${text} failed ${errorCode}`,
  )
}

test('a record changes the state before its answer leaves', (t) => {
  const world = new World().load()
  const answers: string[] = []
  world.runtime.run(PARTITION, (turn) => {
    turn.change(record('a'))
    turn.persist(record('b'))
    turn.change(record('c'))
    t.deepEqual(world.groups, [], 'nothing changes while the turn is decided')
    turn.answer(
      () => answers.push(world.groups.join()),
      '',
      () => '',
    )
  })
  t.deepEqual(answers, ['a,c'])
  t.deepEqual(world.written, [3], 'the records of a turn are one batch')
})

test('a turn without records answers at once and writes nothing', (t) => {
  const world = new World().load()
  const answers: string[] = []
  world.runtime.run(PARTITION, (turn) => answer(turn, 'read', answers))
  t.deepEqual(answers, ['read'])
  t.deepEqual(world.written, [])
})

test('what could not be written changes nothing and is told as a coordinator error', (t) => {
  const world = new World().load()
  const answers: string[] = []
  for (const [errorCode, told] of [
    [ErrorCode.KAFKA_STORAGE_ERROR, ErrorCode.NOT_COORDINATOR],
    [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.COORDINATOR_NOT_AVAILABLE],
    [ErrorCode.MESSAGE_TOO_LARGE, ErrorCode.UNKNOWN_SERVER_ERROR],
  ] as const) {
    world.outcome = errorCode
    world.add('a', answers)
    t.is(answers.pop(), `a failed ${told}`)
  }
  t.deepEqual(world.groups, [])
  t.is(world.runtime.phase(PARTITION), 'active')
})

test('an answer waits for the flush, the next turn sees the change before', (t) => {
  const world = new World().load()
  const answers: string[] = []
  world.outcome = undefined
  world.add('a', answers)
  t.deepEqual([world.groups.join(), answers.length], ['a', 0])
  world.add('b', answers)
  for (const done of world.waiting.splice(0)) done(ErrorCode.NONE)
  t.deepEqual(answers, ['a', 'b'])
})

test('after a flush that failed the partition is forgotten and loaded again', (t) => {
  const world = new World().load()
  const answers: string[] = []
  world.outcome = undefined
  world.add('a', answers)
  world.add('b', answers)
  for (const done of world.waiting.splice(0)) done(ErrorCode.KAFKA_STORAGE_ERROR)
  t.deepEqual(answers, ['a failed 16', 'b failed 16'])
  t.deepEqual(world.groups, [])
  t.deepEqual(world.reloads, [PARTITION])
  t.is(world.runtime.problemOf(PARTITION), ErrorCode.NOT_COORDINATOR)
})

test('a turn that follows another one runs when that is durable', (t) => {
  const world = new World().load()
  const seen: string[] = []
  world.outcome = undefined
  world.runtime.run(PARTITION, (turn) => {
    turn.change(record('a'))
    turn.followedBy((later, errorCode) => {
      seen.push(`${errorCode} ${later.partition}`)
      later.change(record('b'))
    })
  })
  t.deepEqual(seen, [])
  for (const done of world.waiting.splice(0)) done(ErrorCode.NONE)
  t.deepEqual(seen, [`0 ${PARTITION}`])
  t.deepEqual(world.groups, ['a', 'b'])
})

test('a partition that is being loaded has no turns, and no timers before it is', (t) => {
  const world = new World()
  t.is(world.runtime.problemOf(PARTITION), ErrorCode.NOT_COORDINATOR)
  world.runtime.beginLoad(PARTITION)
  t.is(world.runtime.problemOf(PARTITION), ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
  world.runtime.replay(PARTITION, record('old'), -1)
  world.nowMs += 1000
  world.runtime.advance()
  t.deepEqual(world.groups, ['old'])
  world.runtime.finishLoad(PARTITION)
  world.runtime.advance()
  t.deepEqual(world.groups, ['old'])
  world.nowMs += 120
  world.runtime.advance()
  t.deepEqual(world.groups, ['old', 'timer'])
})

test('timers are set anew by their name, and go with their partition', (t) => {
  const world = new World().load()
  const fired: string[] = []
  world.runtime.run(PARTITION, (turn) => {
    turn.setTimer('x', 500, () => fired.push('first'))
    turn.setTimer('x', 50, () => fired.push('second'))
    turn.setTimer('y', 50, () => fired.push('cancelled'))
    turn.cancelTimer('y')
  })
  world.nowMs += 1000
  world.runtime.advance()
  t.deepEqual(fired, ['second'])
  world.runtime.run(PARTITION, (turn) => turn.setTimer('z', 50, () => fired.push('late')))
  world.runtime.unload(PARTITION)
  world.nowMs += 1000
  world.runtime.advance()
  t.deepEqual(fired, ['second'])
  t.is(world.runtime.timers.size, 0)
})

test('a timer that is restarted does what it did, later or sooner', (t) => {
  const world = new World().load()
  const fired: string[] = []
  world.runtime.run(PARTITION, (turn) => {
    t.false(turn.restartTimer(turn.timer('x'), 50))
    turn.setTimer('x', 500, () => fired.push('x'))
    turn.setTimer('y', 500, () => fired.push('y'))
    t.true(turn.restartTimer(turn.timer('x'), 5000))
    t.true(turn.restartTimer(turn.timer('y'), 50))
  })
  world.nowMs += 1000
  world.runtime.advance()
  t.deepEqual(fired, ['y'])
  world.nowMs += 4000
  world.runtime.advance()
  t.deepEqual(fired, ['y', 'x'])
  world.runtime.run(PARTITION, (turn) => t.false(turn.restartTimer(turn.timer('x'), 50)))
})
