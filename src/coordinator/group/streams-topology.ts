/** The topology that members of a streams group run: subtopologies and their topics. KIP-1071. */
import type { StreamsGroupTopologyValue } from '../../protocol/records/streams-group-topology.ts'
import type { CommandOf } from './commands.ts'

/** As its record holds it. */
export type StreamsTopology = StreamsGroupTopologyValue
/** A part of a topology that has tasks of its own. */
export type Subtopology = StreamsTopology['subtopologies'][number]
/** A topic that the group has for itself. */
export type TopicInfo = Subtopology['stateChangelogTopics'][number]

type Requested = NonNullable<CommandOf<'streams-group-heartbeat'>['request']['topology']>

/** The topology that a member brings, as it is kept. */
export function topologyOf({ epoch, subtopologies }: Requested): StreamsTopology {
  return {
    epoch,
    subtopologies: subtopologies.map((one) => ({
      subtopologyId: one.subtopologyId,
      sourceTopics: one.sourceTopics,
      sourceTopicRegex: one.sourceTopicRegex,
      stateChangelogTopics: one.stateChangelogTopics.map(topicInfo),
      repartitionSinkTopics: one.repartitionSinkTopics,
      repartitionSourceTopics: one.repartitionSourceTopics.map(topicInfo),
      copartitionGroups: one.copartitionGroups.map((group) => ({
        sourceTopics: group.sourceTopics,
        sourceTopicRegex: group.sourceTopicRegex,
        repartitionSourceTopics: group.repartitionSourceTopics,
      })),
    })),
  }
}

function topicInfo({ name, partitions, replicationFactor, topicConfigs }: TopicInfo): TopicInfo {
  return {
    name,
    partitions,
    replicationFactor,
    topicConfigs: topicConfigs.map(({ key, value }) => ({ key, value })),
  }
}

/** Whether both are the same; the order of subtopologies says nothing. */
export function sameTopology(a: StreamsTopology, b: StreamsTopology): boolean {
  return a === b || (a.epoch === b.epoch && textOf(a) === textOf(b))
}

function textOf(topology: StreamsTopology): string {
  // Made by one function, so that equal topologies have their fields in one order.
  return JSON.stringify(topologyOf(inOrder(topology)))
}

function inOrder(topology: StreamsTopology): StreamsTopology {
  return { ...topology, subtopologies: bySubtopologyId(topology) }
}

/** The subtopologies in the order of their ids. */
export function bySubtopologyId({ subtopologies }: StreamsTopology): Subtopology[] {
  return [...subtopologies].sort((a, b) => (a.subtopologyId < b.subtopologyId ? -1 : 1))
}

/** Names of the topics that a subtopology reads for its tasks. */
export function inputTopics({ sourceTopics, repartitionSourceTopics }: Subtopology): string[] {
  return [...sourceTopics, ...repartitionSourceTopics.map(({ name }) => name)]
}

/** Names of all topics that must exist before tasks can be assigned. */
export function requiredTopics({ subtopologies }: StreamsTopology): Set<string> {
  const names = new Set<string>()
  for (const one of subtopologies) {
    for (const name of inputTopics(one)) names.add(name)
    for (const { name } of one.stateChangelogTopics) names.add(name)
  }
  return names
}

/** By topic: the subtopology that reads it. */
export function readers({ subtopologies }: StreamsTopology): ReadonlyMap<string, string> {
  const bySource = new Map<string, string>()
  for (const one of subtopologies) {
    for (const name of inputTopics(one)) bySource.set(name, one.subtopologyId)
  }
  return bySource
}
