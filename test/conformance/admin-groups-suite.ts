/** What the admin client promises about groups with members: each kind of group has one whose only
 *  word is a heartbeat. */
import { randomUUID } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import { ClusterClient, CoordinatorType } from '../../src/client/cluster-client.ts'
import type { BodyOf } from '../../src/client/connection.ts'
import { throwOnError } from '../../src/client/errors.ts'
import { ConsumerGroupHeartbeat } from '../../src/protocol/apis/68-consumer-group-heartbeat.ts'
import { ShareGroupHeartbeat } from '../../src/protocol/apis/76-share-group-heartbeat.ts'
import { StreamsGroupHeartbeat } from '../../src/protocol/apis/88-streams-group-heartbeat.ts'
import { type ClientCase, eventually, type World } from './client-suite.ts'

type Heartbeats =
  | typeof ConsumerGroupHeartbeat
  | typeof ShareGroupHeartbeat
  | typeof StreamsGroupHeartbeat

const LEAVES = -1
const groupOperations = ['read', 'delete', 'describe', 'describeConfigs', 'alterConfigs'] as const

/** All promises. */
export const adminGroupCases: readonly ClientCase[] = [
  {
    title: 'a consumer group is described with its members',
    async run(t, world) {
      const topic = await world.topic(2)
      const groupId = `g-${randomUUID()}`
      const body = { groupId, rebalanceTimeoutMs: 30_000, subscribedTopicNames: [topic] }
      const beats = (member: { memberId: string; memberEpoch: number }) =>
        heartbeat(world, ConsumerGroupHeartbeat, groupId, {
          ...body,
          ...member,
          topicPartitions: [],
        })
      const memberId = randomUUID()
      await beats({ memberId, memberEpoch: 0 })
      const group = await eventually(async () => {
        const [described] = await world.admin.describeGroups([groupId], {
          includeAuthorizedOperations: true,
        })
        if (described?.type !== 'consumer') throw new Error('a group of another type')
        const [member] = described.members
        if (member === undefined || member.targetAssignment?.length !== 2) {
          // Kafka's coordinator may not have heard of the topic yet; a heartbeat has it look again.
          await beats({ memberId, memberEpoch: member?.memberEpoch ?? 0 })
          throw new Error('not yet')
        }
        return described
      })
      t.deepEqual(group.authorizedOperations, groupOperations)
      t.true(group.groupEpoch > 0)
      const [member] = group.members
      t.is(member?.memberId, memberId)
      t.true((member?.memberEpoch ?? 0) > 0)
      t.deepEqual(member?.subscribedTopicNames, [topic])
      t.deepEqual(
        member?.targetAssignment,
        [0, 1].map((partition) => ({ topic, partition })),
      )
      t.is(member?.isClassic, false)
      await beats({ memberId, memberEpoch: LEAVES })
    },
  },
  {
    title: 'share groups are described and listed, and their offsets set and forgotten',
    async run(t, world) {
      const { admin } = world
      const topic = await world.topic(2)
      const messages = ['a', 'b', 'c'].map((value) => ({ value, partition: 0 }))
      await world.producer().send({ topic, messages })
      const groupId = `s-${randomUUID()}`
      t.deepEqual(await admin.listShareGroupOffsets(groupId), [])
      await t.throwsAsync(admin.describeShareGroups([groupId]), { name: 'GROUP_ID_NOT_FOUND' })
      const memberId = randomUUID()
      const beats = (memberEpoch: number) =>
        heartbeat(world, ShareGroupHeartbeat, groupId, {
          groupId,
          memberId,
          memberEpoch,
          subscribedTopicNames: [topic],
        })
      await beats(0)
      const [group] = await admin.describeShareGroups([groupId], {
        includeAuthorizedOperations: true,
      })
      t.is(group?.type, 'share')
      t.deepEqual(group?.authorizedOperations, groupOperations)
      t.is(group?.members.length, 1)
      t.is(group?.members[0]?.memberId, memberId)
      t.is(group?.members[0]?.clientId, 'admin-groups')
      t.deepEqual(group?.members[0]?.subscribedTopicNames, [topic])
      t.true((group?.groupEpoch ?? 0) > 0)
      const listed = await admin.listGroups({ types: ['share'] })
      t.true(listed.some((one) => one.groupId === groupId && one.type === 'share'))
      const offsets = [{ topic, partition: 0, startOffset: 2 }]
      await t.throwsAsync(admin.alterShareGroupOffsets(groupId, offsets), {
        name: 'NON_EMPTY_GROUP',
      })
      await t.throwsAsync(admin.deleteShareGroupOffsets(groupId, [topic]), {
        name: 'NON_EMPTY_GROUP',
      })
      await beats(LEAVES)
      await admin.alterShareGroupOffsets(groupId, offsets)
      const at = async () => {
        const found = await admin.listShareGroupOffsets(groupId, [{ topic, partition: 0 }])
        return found.map(({ startOffset, lag }) => ({ startOffset, lag }))
      }
      t.deepEqual(await at(), [{ startOffset: 2, lag: 1 }])
      const all = await admin.listShareGroupOffsets(groupId)
      t.true(all.some(({ partition, startOffset }) => partition === 0 && startOffset === 2))
      await admin.deleteShareGroupOffsets(groupId, [topic])
      t.deepEqual(await at(), [])
      await admin.deleteGroups([groupId])
      await t.throwsAsync(admin.describeShareGroups([groupId]), { name: 'GROUP_ID_NOT_FOUND' })
    },
  },
  {
    title: 'streams groups are described with topology and tasks',
    run: describesStreams,
  },
]

async function describesStreams(t: ExecutionContext, world: World): Promise<void> {
  const { admin } = world
  const topic = await world.topic(2)
  const groupId = `st-${randomUUID()}`
  const memberId = randomUUID()
  const beats = (memberEpoch: number) =>
    heartbeat(world, StreamsGroupHeartbeat, groupId, {
      groupId,
      memberId,
      memberEpoch,
      processId: memberEpoch === 0 ? 'a process' : null,
      rebalanceTimeoutMs: memberEpoch === 0 ? 30_000 : -1,
      clientTags: memberEpoch === 0 ? [{ key: 'zone', value: 'north' }] : null,
      activeTasks: memberEpoch === 0 ? [] : null,
      standbyTasks: memberEpoch === 0 ? [] : null,
      warmupTasks: memberEpoch === 0 ? [] : null,
      userEndpoint: memberEpoch === 0 ? { host: 'here', port: 4321 } : null,
      topology:
        memberEpoch === 0
          ? {
              epoch: 1,
              subtopologies: [
                {
                  subtopologyId: '0',
                  sourceTopics: [topic],
                  stateChangelogTopics: [
                    {
                      name: `${groupId}-changes`,
                      topicConfigs: [{ key: 'cleanup.policy', value: 'compact' }],
                    },
                  ],
                },
              ],
            }
          : null,
    })
  // Kafka knows nothing of a topic for a moment after it has said that it is there.
  await eventually(() => beats(0))
  const group = await eventually(async () => {
    const [described] = await admin.describeStreamsGroups([groupId], {
      includeAuthorizedOperations: true,
    })
    if (described === undefined) throw new Error('not yet')
    return described
  })
  t.is(group.type, 'streams')
  t.is(group.topologyEpoch, 1)
  t.deepEqual(group.authorizedOperations, groupOperations)
  const [subtopology] = group.subtopologies
  t.deepEqual(subtopology?.sourceTopics, [topic])
  t.like(subtopology?.stateChangelogTopics[0], {
    name: `${groupId}-changes`,
    configs: { 'cleanup.policy': 'compact' },
  })
  const [member] = group.members
  t.like(member, {
    memberId,
    groupInstanceId: null,
    processId: 'a process',
    topologyEpoch: 1,
    clientTags: { zone: 'north' },
    userEndpoint: { host: 'here', port: 4321 },
    isClassic: false,
  })
  t.deepEqual(member?.assignment.standbyTasks, [])
  const elsewhere = await t.throwsAsync(admin.describeShareGroups([groupId]))
  t.is(elsewhere?.name, 'GROUP_ID_NOT_FOUND')
  await beats(LEAVES)
  await admin.alterGroupOffsets(groupId, [{ topic, partition: 1, offset: 0 }])
  t.is((await admin.listGroupOffsets(groupId)).length, 1)
  await admin.deleteGroups([groupId])
}

/** Says a member's word to its coordinator. */
async function heartbeat<A extends Heartbeats>(
  world: World,
  api: A,
  groupId: string,
  body: BodyOf<A>,
): Promise<void> {
  const role = { name: 'member', allowAutoTopicCreation: false }
  const cluster = new ClusterClient({ ...world.target(), clientId: 'admin-groups' }, role)
  try {
    await cluster.retry(
      async () => {
        const { group } = CoordinatorType
        const answer = await cluster.requestCoordinator(group, groupId, api, body)
        throwOnError(answer.errorCode, answer.errorMessage)
      },
      20_000,
      'heartbeat',
    )
  } finally {
    cluster.close()
  }
}
