/**
 * Share groups: what is asked of groups and sessions that are not there, and what contradicts
 * itself. Groups with members need Kafka's time, and are looked at by the interop suite.
 */
import { OffsetCommit } from '../../../src/protocol/apis/08-offset-commit.ts'
import { ShareGroupHeartbeat } from '../../../src/protocol/apis/76-share-group-heartbeat.ts'
import { ShareGroupDescribe } from '../../../src/protocol/apis/77-share-group-describe.ts'
import { ShareFetch } from '../../../src/protocol/apis/78-share-fetch.ts'
import { ShareAcknowledge } from '../../../src/protocol/apis/79-share-acknowledge.ts'
import { DescribeShareGroupOffsets } from '../../../src/protocol/apis/90-describe-share-group-offsets.ts'
import { AlterShareGroupOffsets } from '../../../src/protocol/apis/91-alter-share-group-offsets.ts'
import { DeleteShareGroupOffsets } from '../../../src/protocol/apis/92-delete-share-group-offsets.ts'
import type { RequestInput } from '../../../src/protocol/schema.ts'
import { type Case, inAllVersions } from './case.ts'
import type { Side } from './side.ts'
import * as world from './world.ts'

/** A group that holds an offset, and so is none that shares. */
const CLASSIC = 'share-classic'
const MEMBER = 'AAAAAAAAAAAAAAAAAAAAAQ'

/** All of these APIs. */
export function shareCases(): Case[] {
  return [...classicGroup(), ...heartbeats(), ...sessions(), ...offsets()]
}

function classicGroup(): Case[] {
  const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }]
  return inAllVersions(
    OffsetCommit,
    'of a group that does not share',
    () => ({ groupId: CLASSIC, topics: [{ name: world.FILLED, partitions }] }),
    { since: 9, until: 9 },
  )
}

function heartbeats(): Case[] {
  const heartbeat = (scenario: string, change: RequestInput<typeof ShareGroupHeartbeat>) =>
    inAllVersions(ShareGroupHeartbeat, scenario, () => ({
      groupId: 'nobody-shares',
      memberId: MEMBER,
      memberEpoch: 0,
      rackId: null,
      subscribedTopicNames: [world.FILLED],
      ...change,
    }))
  return [
    ...heartbeat('no group id', { groupId: '' }),
    ...heartbeat('no member id', { memberId: '' }),
    ...heartbeat('no rack id', { rackId: '' }),
    ...heartbeat('no topics', { subscribedTopicNames: [] }),
    ...heartbeat('unnamed topics', { subscribedTopicNames: null }),
    ...heartbeat('an unknown group', { memberEpoch: 3 }),
    ...heartbeat('leaves an unknown group', { memberEpoch: -1 }),
    ...heartbeat('an epoch that is none', { memberEpoch: -2 }),
    ...heartbeat('a group that does not share', { groupId: CLASSIC }),
    ...inAllVersions(ShareGroupDescribe, 'unknown, unnamed and of another kind', () => ({
      groupIds: ['nobody-shares', '', CLASSIC],
      includeAuthorizedOperations: true,
    })),
    ...inAllVersions(ShareGroupDescribe, 'nothing', () => ({ groupIds: [] })),
  ]
}

function sessions(): Case[] {
  const fetch = (
    scenario: string,
    change: RequestInput<typeof ShareFetch>,
    { acknowledges = false, since = 1 } = {},
  ) =>
    inAllVersions(
      ShareFetch,
      scenario,
      (side) => ({
        groupId: 'nobody-shares',
        memberId: MEMBER,
        shareSessionEpoch: 1,
        maxWaitMs: 0,
        minBytes: 0,
        maxBytes: 1000,
        maxRecords: 10,
        batchSize: 10,
        topics: acknowledges ? topicsOf(side) : [],
        ...change,
      }),
      { since },
    )
  const acknowledge = (scenario: string, change: RequestInput<typeof ShareAcknowledge>) =>
    inAllVersions(ShareAcknowledge, scenario, (side) => ({
      groupId: 'nobody-shares',
      memberId: MEMBER,
      shareSessionEpoch: 1,
      topics: topicsOf(side),
      ...change,
    }))
  return [
    ...fetch('an unknown session', {}),
    ...fetch('ends an unknown session', { shareSessionEpoch: -1 }),
    ...fetch('opens a session and acknowledges', { shareSessionEpoch: 0 }, { acknowledges: true }),
    ...fetch('no group', { groupId: null }),
    ...fetch('no member', { memberId: null }),
    ...fetch('a renewal and records', { isRenewAck: true }, { since: 2 }),
    ...fetch('a mode that is none', { shareAcquireMode: 9 }, { since: 2 }),
    ...acknowledge('an unknown session', {}),
    ...acknowledge('ends an unknown session', { shareSessionEpoch: -1 }),
    ...acknowledge('opens a session', { shareSessionEpoch: 0 }),
    ...acknowledge('no group', { groupId: null }),
    ...acknowledge('no member', { memberId: null }),
  ]
}

function topicsOf(side: Side) {
  const acknowledgementBatches = [{ firstOffset: 0, lastOffset: 1, acknowledgeTypes: [1] }]
  const partitions = [{ partitionIndex: 0, acknowledgementBatches }]
  return [{ topicId: side.topicId(world.FILLED), partitions }]
}

function offsets(): Case[] {
  const partitions = [{ partitionIndex: 0, startOffset: 1 }]
  const alter = (groupId: string) =>
    inAllVersions(AlterShareGroupOffsets, `of "${groupId}"`, () => ({
      groupId,
      topics: [{ topicName: world.FILLED, partitions }],
    }))
  const remove = (groupId: string) =>
    inAllVersions(DeleteShareGroupOffsets, `of "${groupId}"`, () => ({
      groupId,
      topics: [{ topicName: world.FILLED }],
    }))
  return [
    ...['nobody-shares', '', CLASSIC].flatMap((groupId) =>
      inAllVersions(DescribeShareGroupOffsets, `of "${groupId}"`, () => ({
        groups: [{ groupId, topics: null }],
      })),
    ),
    ...inAllVersions(DescribeShareGroupOffsets, 'nothing', () => ({ groups: [] })),
    ...inAllVersions(DescribeShareGroupOffsets, 'a topic and a group that are unknown', () => ({
      groups: [
        { groupId: 'nobody-shares', topics: [{ topicName: 'nowhere', partitions: [0, 9] }] },
      ],
    })),
    ...['', CLASSIC].flatMap(alter),
    ...['nobody-shares', '', CLASSIC].flatMap(remove),
  ]
}
