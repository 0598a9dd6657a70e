/** Sessions, commits in order, and what members say of themselves. */
import test from 'ava'
import {
  difference,
  dropFetched,
  Positions,
  pauseAt,
  resetTo,
  seekTo,
} from '../../src/client/consumer-positions.ts'
import { KafkaError } from '../../src/client/errors.ts'
import { FetchSession, type FetchTarget } from '../../src/client/fetcher-session.ts'
import { NO_MEMBER } from '../../src/client/group.ts'
import {
  decodeAssignment,
  decodeMember,
  encodeAssignment,
  encodeSubscription,
} from '../../src/client/group-protocol.ts'
import {
  onConsumerHeartbeatError,
  onJoinError,
  onMemberError,
  onOffsetError,
} from '../../src/client/group-reactions.ts'
import type { OffsetToCommit } from '../../src/client/offsets.ts'
import { Commits } from '../../src/client/offsets-commits.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'

const target = (partition: number, fetchOffset: number, topicId?: string): FetchTarget => ({
  topic: 't',
  topicId,
  partition,
  fetchOffset,
  leaderEpoch: 0,
})

test('a session says only what has changed, and what is gone', (t) => {
  const session = new FetchSession()
  const wanted = [target(0, 0), target(1, 0)]
  t.deepEqual(session.plan(wanted), {
    sessionId: 0,
    sessionEpoch: 0,
    targets: wanted,
    forgotten: [],
  })
  t.true(session.onAnswer(ErrorCode.NONE, 7))
  const moved = target(1, 5)
  t.deepEqual(session.plan([target(0, 0), moved]), {
    sessionId: 7,
    sessionEpoch: 1,
    targets: [moved],
    forgotten: [],
  })
  t.is(session.target('t', '', 1), moved)
  t.true(session.onAnswer(ErrorCode.NONE, 7))
  const last = session.plan([moved])
  t.is(last.sessionEpoch, 2)
  t.deepEqual(last.targets, [])
  t.deepEqual(last.forgotten, [target(0, 0)])
})

test('a session that is lost begins anew; one that is refused is asked for again', (t) => {
  const session = new FetchSession()
  const wanted = [target(0, 0)]
  session.plan(wanted)
  session.onAnswer(ErrorCode.NONE, 7)
  session.plan(wanted)
  t.false(session.onAnswer(ErrorCode.FETCH_SESSION_ID_NOT_FOUND, 0))
  t.like(session.plan(wanted), { sessionId: 0, sessionEpoch: 0, targets: wanted })
  session.onAnswer(ErrorCode.NONE, 0)
  t.like(session.plan(wanted), { sessionId: 0, sessionEpoch: 0 })
  session.onAnswer(ErrorCode.NONE, 9)
  session.plan(wanted)
  session.onFailure()
  t.like(session.plan(wanted), { sessionId: 9, sessionEpoch: 0, targets: wanted })
})

test('a topic that was made anew is another one to the session', (t) => {
  const session = new FetchSession()
  const before = target(0, 3, 'A'.repeat(22))
  const after = target(0, 3, 'Q'.repeat(22))
  session.plan([before])
  session.onAnswer(ErrorCode.NONE, 7)
  t.like(session.plan([after]), { targets: [after], forgotten: [before] })
})

/** Commits over a broker that answers as `script` says, then with success. */
function scripted(...script: number[]) {
  const tries: OffsetToCommit[][] = []
  const cluster = { backoffMs: () => 1, wait: async () => {} }
  const once = async (offsets: readonly OffsetToCommit[]) => {
    tries.push([...offsets])
    const code = script.shift() ?? ErrorCode.NONE
    if (code !== ErrorCode.NONE) throw new KafkaError(code)
  }
  const commits = new Commits(cluster, once, () => NO_MEMBER)
  const text = () => tries.map((one) => one.map((o) => `${o.partition}@${o.offset}`).join(' '))
  return { commits, text }
}

const at = (partition: number, offset: number) => ({ topic: 't', partition, offset })

test('a commit is retried until it holds', async (t) => {
  const { commits, text } = scripted(
    ErrorCode.NOT_COORDINATOR,
    ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
    ErrorCode.STALE_MEMBER_EPOCH,
  )
  await commits.commit([at(0, 1)], 60_000, false)
  t.deepEqual(text(), ['0@1', '0@1', '0@1', '0@1'])
})

test('a commit that a retry cannot mend rejects, and the next one goes on', async (t) => {
  const { commits, text } = scripted(ErrorCode.ILLEGAL_GENERATION, ErrorCode.REBALANCE_IN_PROGRESS)
  await t.throwsAsync(commits.commit([at(0, 1)], 60_000, false), { name: 'ILLEGAL_GENERATION' })
  await t.throwsAsync(commits.commit([at(0, 2)], 60_000, false), { name: 'REBALANCE_IN_PROGRESS' })
  await commits.commit([at(0, 3)], 60_000, false)
  t.deepEqual(text(), ['0@1', '0@2', '0@3'])
})

test('a commit without waiting gives way to a newer one of the same partition', async (t) => {
  const { commits, text } = scripted(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  void commits.commit([at(0, 1), at(1, 1)], 60_000, true)
  void commits.commit([at(0, 2)], 60_000, true)
  await commits.settled()
  t.deepEqual(text(), ['1@1', '1@1', '0@2'])
})

test('a commit that takes too long ends with a TimeoutError', async (t) => {
  const { commits } = scripted(ErrorCode.NOT_COORDINATOR)
  await t.throwsAsync(commits.commit([at(0, 1)], 0, false), { name: 'REQUEST_TIMED_OUT' })
})

test('what a member had and wants survives the way to the leader', (t) => {
  const owned = [
    { topic: 'ä', partition: 3 },
    { topic: 'ä', partition: 1 },
    { topic: 'b', partition: 0 },
  ]
  const before = { owned, generation: 4 }
  const topics = ['ä', 'b']
  const eager = { topics, owned: [], generation: 4 }
  const member = { memberId: 'm', groupInstanceId: null, topics }
  const sticky = encodeSubscription('sticky', eager, before)
  t.deepEqual(decodeMember('sticky', 'm', null, sticky), { ...member, ...before })
  const cooperative = encodeSubscription('cooperative-sticky', { topics, ...before }, before)
  t.deepEqual(decodeMember('cooperative-sticky', 'm', null, cooperative), { ...member, ...before })
  const range = encodeSubscription('range', eager, before)
  t.deepEqual(decodeMember('range', 'm', null, range), { ...member, owned: [], generation: 4 })
  t.deepEqual(decodeAssignment(encodeAssignment(owned)), owned)
  t.deepEqual(decodeAssignment(Buffer.alloc(0)), [])
})

test('errors of the group are dealt with as Kafka does', (t) => {
  t.is(onJoinError(ErrorCode.MEMBER_ID_REQUIRED), 'retry')
  t.is(onJoinError(ErrorCode.UNKNOWN_MEMBER_ID), 'reset')
  t.is(onJoinError(ErrorCode.GROUP_MAX_SIZE_REACHED), 'fail')
  t.is(onMemberError(ErrorCode.REBALANCE_IN_PROGRESS), 'rejoin')
  t.is(onMemberError(ErrorCode.ILLEGAL_GENERATION), 'reset')
  t.is(onMemberError(ErrorCode.NOT_COORDINATOR), 'coordinator')
  t.is(onMemberError(ErrorCode.FENCED_INSTANCE_ID), 'fail')
  t.is(onConsumerHeartbeatError(ErrorCode.FENCED_MEMBER_EPOCH), 'reset')
  t.is(onConsumerHeartbeatError(ErrorCode.UNRELEASED_INSTANCE_ID), 'fail')
  t.is(onConsumerHeartbeatError(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS), 'backoff')
  t.is(onOffsetError(ErrorCode.UNSTABLE_OFFSET_COMMIT), 'backoff')
  t.is(onOffsetError(ErrorCode.GROUP_AUTHORIZATION_FAILED), 'fail')
})

test('whatever changes where to read makes what was fetched void', (t) => {
  const positions = new Positions()
  const one = { topic: 't', partition: 0 }
  positions.add([one, one])
  t.is(positions.size, 1)
  const state = positions.require(one)
  const changes = [
    () => seekTo(state, 5),
    () => pauseAt(state),
    () => dropFetched(state),
    () => resetTo(state, 'latest'),
    () => positions.remove([one]),
  ]
  for (const change of changes) {
    const before = state.generation
    change()
    t.true(state.generation > before)
  }
  t.throws(() => positions.require(one), { name: 'UNKNOWN_TOPIC_OR_PARTITION' })
  t.deepEqual(difference([one, { topic: 't', partition: 1 }], [one]), [
    { topic: 't', partition: 1 },
  ])
})
