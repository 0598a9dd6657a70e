/** Groups: what is asked of groups that are not there, and offsets of groups without members. */
import { OffsetCommit } from '../../../src/protocol/apis/08-offset-commit.ts'
import { OffsetFetch } from '../../../src/protocol/apis/09-offset-fetch.ts'
import { FindCoordinator } from '../../../src/protocol/apis/10-find-coordinator.ts'
import { JoinGroup } from '../../../src/protocol/apis/11-join-group.ts'
import { Heartbeat } from '../../../src/protocol/apis/12-heartbeat.ts'
import { LeaveGroup } from '../../../src/protocol/apis/13-leave-group.ts'
import { SyncGroup } from '../../../src/protocol/apis/14-sync-group.ts'
import { DescribeGroups } from '../../../src/protocol/apis/15-describe-groups.ts'
import { ListGroups } from '../../../src/protocol/apis/16-list-groups.ts'
import { DeleteGroups } from '../../../src/protocol/apis/42-delete-groups.ts'
import { OffsetDelete } from '../../../src/protocol/apis/47-offset-delete.ts'
import { ConsumerGroupHeartbeat } from '../../../src/protocol/apis/68-consumer-group-heartbeat.ts'
import { ConsumerGroupDescribe } from '../../../src/protocol/apis/69-consumer-group-describe.ts'
import type { RequestInput } from '../../../src/protocol/schema.ts'
import { type Case, inAllVersions } from './case.ts'
import * as world from './world.ts'

/** All of these APIs, and FindCoordinator for groups. */
export function groupCases(): Case[] {
  return [...membership(), ...offsets(), ...consumerGroups(), ...descriptions(), ...removals()]
}

function membership(): Case[] {
  const join = (scenario: string, change: RequestInput<typeof JoinGroup>) =>
    inAllVersions(JoinGroup, scenario, () => ({
      groupId: 'joined',
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 30_000,
      memberId: 'stranger',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
      ...change,
    }))
  const member = { groupId: 'nowhere', memberId: 'stranger' }
  return [
    ...join('unknown member', {}),
    ...join('no group id', { groupId: '' }),
    ...join('session too short', { sessionTimeoutMs: 5 }),
    ...join('session too long', { sessionTimeoutMs: 0x7fffffff }),
    ...join('no protocols', { protocols: [] }),
    ...join('no protocol type', { protocolType: '' }),
    ...[-1, 0, 5].flatMap((generationId) => [
      ...inAllVersions(Heartbeat, `generation ${generationId}`, () => ({
        ...member,
        generationId,
      })),
      ...inAllVersions(SyncGroup, `generation ${generationId}`, () => ({
        ...member,
        generationId,
      })),
    ]),
    ...inAllVersions(Heartbeat, 'no group id', () => ({ ...member, groupId: '', generationId: 1 })),
    ...inAllVersions(SyncGroup, 'no group id', () => ({ ...member, groupId: '', generationId: 1 })),
    ...['nowhere', ''].flatMap((groupId) =>
      inAllVersions(LeaveGroup, `group "${groupId}"`, (_, version) =>
        version >= 3
          ? { groupId, members: [{ memberId: 'stranger', groupInstanceId: null }] }
          : { groupId, memberId: 'stranger' },
      ),
    ),
    ...inAllVersions(LeaveGroup, 'nobody', () => ({ groupId: 'nowhere', members: [] }), {
      since: 3,
    }),
    ...inAllVersions(FindCoordinator, 'a group', (_, version) => ({
      ...(version >= 1 ? { keyType: 0 } : {}),
      ...(version >= 4 ? { coordinatorKeys: ['g', ''] } : { key: 'g' }),
    })),
  ]
}

function offsets(): Case[] {
  const commit = (
    scenario: string,
    {
      groupId = 'simple',
      topic = world.FILLED as string,
      partitionIndex = 1,
      committedOffset = 7,
      committedMetadata = 'm' as string | null,
      generationIdOrMemberEpoch = -1,
      memberId = '',
    } = {},
  ) =>
    inAllVersions(OffsetCommit, scenario, (side) => ({
      groupId,
      generationIdOrMemberEpoch,
      memberId,
      topics: [
        {
          name: topic,
          topicId: side.topicId(topic),
          partitions: [
            { partitionIndex, committedOffset, committedMetadata: committedMetadata as string },
          ],
        },
      ],
    }))
  const fetch = (scenario: string, groupId: string, names: string[] | null, since = 1) =>
    inAllVersions(
      OffsetFetch,
      scenario,
      (side, version) => {
        const topics =
          names?.map((name) => ({
            name,
            topicId: side.topicId(name),
            partitionIndexes: [0, 1, 99],
          })) ?? null
        return version >= 8
          ? { groups: [{ groupId, topics: topics as never }] }
          : { groupId, topics: topics as never }
      },
      { since },
    )
  return [
    ...commit('an offset'),
    ...commit('no metadata', { committedMetadata: null, partitionIndex: 2 }),
    ...commit('too much metadata', { committedMetadata: 'x'.repeat(4097) }),
    ...commit('a negative offset', { committedOffset: -5, partitionIndex: 3 }),
    ...commit('no such topic', { topic: 'nowhere' }),
    ...commit('no such partition', { partitionIndex: 99 }),
    ...commit('a generation of no group', {
      groupId: 'nowhere',
      generationIdOrMemberEpoch: 3,
      memberId: 'm',
    }),
    ...commit('a member of a simple group', { memberId: 'stranger', generationIdOrMemberEpoch: 2 }),
    ...commit('no group id', { groupId: '' }),
    ...fetch('offsets', 'simple', [world.FILLED]),
    ...fetch('offsets of no topic', 'simple', ['nowhere']),
    ...fetch('all offsets', 'simple', null, 2),
    ...fetch('no offsets', 'simple', []),
    ...fetch('offsets of no group', 'nowhere', [world.FILLED]),
    ...fetch('all offsets of no group', 'nowhere', null, 2),
  ]
}

function consumerGroups(): Case[] {
  const beat = (scenario: string, change: RequestInput<typeof ConsumerGroupHeartbeat>) =>
    inAllVersions(ConsumerGroupHeartbeat, scenario, () => ({
      groupId: 'consumers',
      memberId: 'stranger',
      memberEpoch: 0,
      rebalanceTimeoutMs: 30_000,
      subscribedTopicNames: [world.FILLED],
      topicPartitions: [],
      ...change,
    }))
  return [
    ...beat('no group id', { groupId: '' }),
    ...beat('no timeout', { rebalanceTimeoutMs: -1 }),
    ...beat('no subscription', { subscribedTopicNames: null as never }),
    ...beat('partitions on joining', { topicPartitions: null as never }),
    ...beat('unknown assignor', { serverAssignor: 'nobody' as never }),
    ...beat('unknown group', { memberEpoch: 3 }),
    ...beat('leaving no group', { memberEpoch: -1 }),
    ...beat('leaving for a while without instance', { memberEpoch: -2 }),
    ...beat('an epoch of -3', { memberEpoch: -3 }),
    ...inAllVersions(ConsumerGroupDescribe, 'groups', () => ({
      groupIds: ['nowhere', 'simple', ''],
    })),
    ...inAllVersions(ConsumerGroupDescribe, 'none', () => ({ groupIds: [] })),
  ]
}

function descriptions(): Case[] {
  const list = (scenario: string, filters: RequestInput<typeof ListGroups>, since: number) =>
    inAllVersions(ListGroups, scenario, () => filters, { since })
  return [
    ...inAllVersions(DescribeGroups, 'groups', () => ({ groups: ['simple', 'nowhere', ''] })),
    ...inAllVersions(
      DescribeGroups,
      'operations',
      () => ({ groups: ['simple'], includeAuthorizedOperations: true }),
      { since: 3 },
    ),
    ...inAllVersions(DescribeGroups, 'none', () => ({ groups: [] })),
    ...list('all groups', {}, 0),
    ...['Empty', 'empty', 'Stable', 'whatever'].flatMap((state) =>
      list(`state ${state}`, { statesFilter: [state] }, 4),
    ),
    ...['classic', 'CLASSIC', 'consumer', 'whatever'].flatMap((type) =>
      list(`group type ${type}`, { typesFilter: [type] }, 5),
    ),
  ]
}

function removals(): Case[] {
  const forget = (scenario: string, groupId: string, name: string, indexes: number[]) =>
    inAllVersions(OffsetDelete, scenario, () => ({
      groupId,
      topics: [{ name, partitions: indexes.map((partitionIndex) => ({ partitionIndex })) }],
    }))
  return [
    ...forget('an offset', 'simple', world.FILLED, [2]),
    ...forget('no such offset', 'simple', world.FILLED, [5, 99]),
    ...forget('no such topic', 'simple', 'nowhere', [0]),
    ...forget('no such group', 'nowhere', world.FILLED, [0]),
    ...inAllVersions(DeleteGroups, 'no such group', () => ({ groupsNames: ['nowhere'] })),
    ...inAllVersions(DeleteGroups, 'a simple group', () => ({ groupsNames: ['simple', 'simple'] })),
    ...inAllVersions(DeleteGroups, 'none', () => ({ groupsNames: [] })),
  ]
}
