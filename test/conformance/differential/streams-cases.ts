/**
 * Streams groups: what contradicts itself, topologies that cannot run, and a group with one member
 * that waits for its first tasks. What takes Kafka's time is looked at by the interop suite.
 */
import { DeleteGroups } from '../../../src/protocol/apis/42-delete-groups.ts'
import { StreamsGroupHeartbeat } from '../../../src/protocol/apis/88-streams-group-heartbeat.ts'
import { StreamsGroupDescribe } from '../../../src/protocol/apis/89-streams-group-describe.ts'
import type { RequestInput } from '../../../src/protocol/schema.ts'
import { type Case, inAllVersions } from './case.ts'
import * as world from './world.ts'

type Heartbeat = RequestInput<typeof StreamsGroupHeartbeat>
type Subtopology = NonNullable<NonNullable<Heartbeat['topology']>['subtopologies']>[number]

/** A group that comes to be, and goes. */
const GROUP = 'differential-streams'

/** Both APIs. */
export function streamsCases(): Case[] {
  return [...contradictions(), ...topologies(), ...oneMember()]
}

function heartbeat(scenario: string, change: Heartbeat): Case[] {
  return inAllVersions(StreamsGroupHeartbeat, scenario, () => ({
    groupId: 'nobody-streams',
    memberId: 'm',
    memberEpoch: 0,
    rebalanceTimeoutMs: 30_000,
    processId: 'p',
    clientTags: [],
    activeTasks: [],
    standbyTasks: [],
    warmupTasks: [],
    topology: topologyOf({ sourceTopics: [world.FILLED] }),
    ...change,
  }))
}

function topologyOf(...subtopologies: Subtopology[]) {
  return {
    epoch: 1,
    subtopologies: subtopologies.map((one, i) => ({ subtopologyId: String(i), ...one })),
  }
}

function contradictions(): Case[] {
  const tasks = [{ subtopologyId: '0', partitions: [0] }]
  const later = { topology: null, rebalanceTimeoutMs: -1 }
  return [
    ...heartbeat('no group id', { groupId: '' }),
    ...heartbeat('no member id', { memberId: '' }),
    ...heartbeat('no rack id', { rackId: '' }),
    ...heartbeat('an instance id', { instanceId: 'i' }),
    ...heartbeat('no rebalance timeout', { rebalanceTimeoutMs: -1 }),
    ...heartbeat('no topology', { topology: null }),
    ...heartbeat('joins with active tasks', { activeTasks: tasks }),
    ...heartbeat('joins with standby tasks', { standbyTasks: tasks }),
    ...heartbeat('joins with warm-up tasks', { warmupTasks: tasks }),
    ...heartbeat('joins without a list of tasks', { standbyTasks: null }),
    ...heartbeat('offsets of tasks', { taskOffsets: [] }),
    ...heartbeat('end offsets of tasks', { taskEndOffsets: [] }),
    ...heartbeat('an unknown group', { ...later, memberEpoch: 3 }),
    ...heartbeat('one list of tasks', { ...later, memberEpoch: 3, standbyTasks: null }),
    ...heartbeat('a topology later', { memberEpoch: 3 }),
    ...heartbeat('leaves an unknown group', { ...later, memberEpoch: -1 }),
    ...heartbeat('leaves for a while', { ...later, memberEpoch: -2 }),
    ...heartbeat('an epoch that is none', { ...later, memberEpoch: -3 }),
    ...inAllVersions(StreamsGroupDescribe, 'unknown and unnamed', () => ({
      groupIds: ['nobody-streams', ''],
      includeAuthorizedOperations: true,
    })),
    ...inAllVersions(StreamsGroupDescribe, 'nothing', () => ({ groupIds: [] })),
  ]
}

function topologies(): Case[] {
  const info = (name: string, partitions = 0) => ({ name, partitions })
  const refused = (scenario: string, ...subtopologies: Subtopology[]) =>
    heartbeat(scenario, { topology: topologyOf(...subtopologies) })
  return [
    ...refused('a regular expression', { sourceTopicRegex: ['f.*'] }),
    ...refused('an internal topic', { sourceTopics: ['__consumer_offsets'] }),
    ...refused('a name that is none', { sourceTopics: ['a b'] }),
    ...refused('a changelog of fixed size', {
      sourceTopics: [world.FILLED],
      stateChangelogTopics: [info('changes', 3)],
    }),
    ...refused('nothing to read', {}),
    ...refused('a repartition topic that nobody writes', { repartitionSourceTopics: [info('r')] }),
    ...refused('a loop', { repartitionSourceTopics: [info('r')], repartitionSinkTopics: ['r'] }),
  ]
}

function oneMember(): Case[] {
  const later = { groupId: GROUP, topology: null, rebalanceTimeoutMs: -1, clientTags: null }
  const described = (scenario: string) =>
    inAllVersions(StreamsGroupDescribe, scenario, () => ({
      groupIds: [GROUP],
      includeAuthorizedOperations: true,
    }))
  const removed = (scenario: string) =>
    inAllVersions(DeleteGroups, scenario, () => ({ groupsNames: [GROUP] }), { since: 2 })
  const missing = topologyOf({ sourceTopics: [world.FILLED, 'no-such-source'] })
  return [
    ...heartbeat('joins while a source is missing', { groupId: GROUP, topology: missing }),
    ...described('with a member'),
    ...heartbeat('waits', { ...later, memberEpoch: 1 }),
    ...heartbeat('comes with another epoch', { ...later, memberEpoch: 7 }),
    ...heartbeat('brings another topology', { groupId: GROUP, memberId: 'other' }),
    ...removed('with a member that streams'),
    ...heartbeat('leaves', { ...later, memberEpoch: -1 }),
    ...heartbeat('leaves twice', { ...later, memberEpoch: -1 }),
    ...described('without members'),
    ...removed('of nobody that streams'),
    ...described('after it was deleted'),
  ]
}
