import test from 'ava'
import {
  type ConsumerMember,
  MemberState,
  newMember,
} from '../../src/coordinator/group/consumer-member.ts'
import {
  listOfEpochs,
  type PartitionList,
  targetOf,
  withEpoch,
} from '../../src/coordinator/group/consumer-partitions.ts'
import { type Reconciliation, reconcile } from '../../src/coordinator/group/reconcile.ts'

const list = (...partitions: number[]): PartitionList => [{ topicId: 'a', partitions }]
const epochs = (epoch: number, ...partitions: number[]) =>
  withEpoch(targetOf(list(...partitions)), epoch)

function memberWith(parts: Partial<ConsumerMember>): ConsumerMember {
  return { ...newMember('m'), memberEpoch: 10, previousMemberEpoch: 9, ...parts }
}

function step(member: ConsumerMember, parts: Partial<Reconciliation>): ConsumerMember {
  const next = reconcile({
    member,
    targetEpoch: 11,
    target: new Map(),
    owned: null,
    subscriptionChanged: false,
    isSubscribed: () => true,
    isOwned: () => false,
    ...parts,
  })
  if (next === 'fenced') throw new Error('the member was fenced')
  return next
}

test('a member that is at the target stays the same object', (t) => {
  const member = memberWith({ memberEpoch: 11, assigned: epochs(3, 1, 2) })
  t.is(step(member, { target: targetOf(list(1, 2)) }), member)
})

test('a member gets free partitions with the epoch of the target', (t) => {
  const member = memberWith({ assigned: epochs(3, 1) })
  const next = step(member, { target: targetOf(list(1, 2)) })
  t.is(next.memberEpoch, 11)
  t.is(next.previousMemberEpoch, 10)
  t.is(next.state, MemberState.STABLE)
  t.deepEqual(
    next.assigned.get('a'),
    new Map([
      [1, 3],
      [2, 11],
    ]),
  )
})

test('a member that has to give up partitions stays at its epoch until it did', (t) => {
  const member = memberWith({ assigned: epochs(3, 1, 2) })
  const target = targetOf(list(2, 3))
  const revoking = step(member, { target })
  t.is(revoking.state, MemberState.UNREVOKED_PARTITIONS)
  t.is(revoking.memberEpoch, 10)
  t.deepEqual(listOfEpochs(revoking.assigned), [...list(2)])
  t.deepEqual(listOfEpochs(revoking.pendingRevocation), [...list(1)])
  t.is(step(revoking, { target }), revoking)
  t.is(step(revoking, { target, owned: list(1, 2) }), revoking)
  const done = step(revoking, { target, owned: list(2) })
  t.is(done.state, MemberState.STABLE)
  t.is(done.memberEpoch, 11)
  t.deepEqual(listOfEpochs(done.assigned), [...list(2, 3)])
  t.is(done.pendingRevocation.size, 0)
})

test('a member that has what is revoked no more needs not confirm it', (t) => {
  const member = memberWith({ assigned: epochs(3, 1, 2) })
  const next = step(member, { target: targetOf(list(2)), owned: list(2) })
  t.is(next.state, MemberState.STABLE)
  t.is(next.memberEpoch, 11)
})

test('a member waits for partitions that others have, and gets the others', (t) => {
  const member = memberWith({ assigned: epochs(3, 1) })
  const target = targetOf(list(1, 2, 3))
  const waiting = step(member, { target, isOwned: (_, partition) => partition === 2 })
  t.is(waiting.state, MemberState.UNRELEASED_PARTITIONS)
  t.is(waiting.memberEpoch, 11)
  t.deepEqual(listOfEpochs(waiting.assigned), [...list(1, 3)])
  const done = step(waiting, { target })
  t.is(done.state, MemberState.STABLE)
  t.deepEqual(listOfEpochs(done.assigned), [...list(1, 2, 3)])
})

test('a member gets back what it has not given up yet', (t) => {
  const member = memberWith({
    state: MemberState.UNREVOKED_PARTITIONS,
    assigned: epochs(3, 1),
    pendingRevocation: epochs(3, 2),
  })
  const target = targetOf(list(1, 2))
  const next = step(member, { target, owned: list(1), isOwned: (_, one) => one === 2 })
  t.is(next.state, MemberState.STABLE)
  t.deepEqual(listOfEpochs(next.assigned), [...list(1, 2)])
})

test('a topic that is read no more goes before the next target', (t) => {
  const member = memberWith({ memberEpoch: 11, assigned: epochs(3, 1) })
  const parts = { target: targetOf(list(1)), subscriptionChanged: true, isSubscribed: () => false }
  const revoking = step(member, parts)
  t.is(revoking.state, MemberState.UNREVOKED_PARTITIONS)
  t.is(revoking.assigned.size, 0)
  t.deepEqual(listOfEpochs(revoking.pendingRevocation), [...list(1)])
  const quick = step(member, { ...parts, owned: [] })
  t.is(quick.state, MemberState.STABLE)
  t.is(quick.assigned.size, 0)
  t.is(quick.pendingRevocation.size, 0)
})

test('a state of a later release fences a member until it comes with nothing', (t) => {
  const member = memberWith({ state: 99, assigned: epochs(3, 1) })
  const parts = {
    member,
    targetEpoch: 11,
    target: targetOf(list(1)),
    subscriptionChanged: false,
    isSubscribed: () => true,
    isOwned: () => false,
  }
  t.is(reconcile({ ...parts, owned: null }), 'fenced')
  t.is(reconcile({ ...parts, owned: list(1) }), 'fenced')
  const next = reconcile({ ...parts, owned: [] })
  t.true(next !== 'fenced' && next.state === MemberState.STABLE)
})
