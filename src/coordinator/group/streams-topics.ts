/**
 * A topology held against the topics that there are: how many tasks each subtopology has, which
 * internal topics are missing, or what stands in the way. Source: Kafka's InternalTopicManager,
 * KIP-1071.
 */
import type { NewTopic } from '../../cluster/commands.ts'
import type { TopicDirectory } from './consumer-topics.ts'
import {
  decideCounts,
  incorrectlyPartitioned,
  type PartitionCounts,
  StreamsStatus,
  type TopologyFault,
  taskCount,
} from './streams-partitions.ts'
import {
  bySubtopologyId,
  requiredTopics,
  type StreamsTopology,
  type Subtopology,
  type TopicInfo,
} from './streams-topology.ts'

/** How many topics a status names; of further ones it gives the number. */
const NAMES_MAX = 3

/** A subtopology of which the number of tasks is known. */
export interface ConfiguredSubtopology {
  readonly subtopology: Subtopology
  readonly tasks: number
}

/** A topology with what the present topics make of it. */
export interface ConfiguredTopology {
  readonly topology: StreamsTopology
  /** In the order of ids; empty where `fault` says that tasks cannot be counted. */
  readonly subtopologies: ReadonlyMap<string, ConfiguredSubtopology>
  /** Partition counts of the internal topics. */
  readonly counts: PartitionCounts
  /** Internal topics that are to be created. */
  readonly missing: readonly NewTopic[]
  /** Why there are no tasks yet; undefined: they can be assigned. */
  readonly fault: (TopologyFault & { kind: 'status' }) | undefined
}

/** What the topics make of a topology, or why it can never be run. */
export function configureTopology(
  topology: StreamsTopology,
  topics: TopicDirectory,
): ConfiguredTopology | (TopologyFault & { kind: 'refused' }) {
  const absent = absentSources(topology, topics)
  if (absent !== undefined) return failed(topology, absent)
  const counts = decideCounts(topology, topics)
  if (!(counts instanceof Map)) {
    return counts.kind === 'refused' ? counts : failed(topology, counts)
  }
  const countOf = (name: string) => topics.topic(name)?.partitions.length ?? counts.get(name)
  const subtopologies = new Map<string, ConfiguredSubtopology>()
  for (const subtopology of bySubtopologyId(topology)) {
    const tasks = taskCount(subtopology, countOf) ?? 0
    subtopologies.set(subtopology.subtopologyId, { subtopology, tasks })
  }
  const missing = missingTopics(topology, counts, topics)
  if ('kind' in missing) return failed(topology, missing)
  const names = missing.map(({ name }) => name)
  const detail = `Internal topics are missing: ${summary(names)}`
  const fault =
    names.length === 0
      ? undefined
      : ({ kind: 'status', code: StreamsStatus.MISSING_INTERNAL_TOPICS, detail } as const)
  return { topology, subtopologies, counts, missing, fault }
}

type Status = TopologyFault & { kind: 'status' }

function failed(topology: StreamsTopology, fault: Status): ConfiguredTopology {
  return { topology, subtopologies: new Map(), counts: new Map(), missing: [], fault }
}

function absentSources(topology: StreamsTopology, topics: TopicDirectory): Status | undefined {
  const names = new Set<string>()
  for (const { sourceTopics } of topology.subtopologies) {
    for (const name of sourceTopics) if (topics.topic(name) === undefined) names.add(name)
  }
  if (names.size === 0) return undefined
  const detail = `Source topics ${summary([...names].sort())} are missing.`
  return { kind: 'status', code: StreamsStatus.MISSING_SOURCE_TOPICS, detail }
}

/** The internal topics as they are to be, by name; of a topic that is named twice the last. */
function internalTopics(topology: StreamsTopology, counts: PartitionCounts) {
  const wanted = new Map<string, NewTopic>()
  for (const { repartitionSourceTopics, stateChangelogTopics } of bySubtopologyId(topology)) {
    for (const info of [...repartitionSourceTopics, ...stateChangelogTopics]) {
      wanted.set(info.name, newTopic(info, counts))
    }
  }
  return wanted
}

function newTopic(info: TopicInfo, counts: PartitionCounts): NewTopic {
  return {
    name: info.name,
    numPartitions: partitionsOf(info, counts),
    replicationFactor: info.replicationFactor === 0 ? -1 : info.replicationFactor,
    assignments: [],
    configs: info.topicConfigs.map(({ key, value }) => ({ name: key, value })),
  }
}

/** How many partitions an internal topic has, or is to have. */
export function partitionsOf({ name, partitions }: TopicInfo, counts: PartitionCounts): number {
  return partitions === 0 ? (counts.get(name) ?? 0) : partitions
}

function missingTopics(
  topology: StreamsTopology,
  counts: PartitionCounts,
  topics: TopicDirectory,
): NewTopic[] | Status {
  const wanted = internalTopics(topology, counts)
  for (const name of requiredTopics(topology)) {
    const found = topics.topic(name)?.partitions.length
    const expected = wanted.get(name)?.numPartitions
    if (found === undefined) continue
    wanted.delete(name)
    if (expected === undefined || expected === found) continue
    return incorrectlyPartitioned(
      `Existing topic ${name} has different number of partitions: expected ${expected}, ` +
        `found ${found}`,
    ) as Status
  }
  return [...wanted.values()]
}

function summary(names: readonly string[]): string {
  const rest = names.length - NAMES_MAX
  const shown = names.slice(0, NAMES_MAX).join(', ')
  return rest > 0 ? `${shown} and ${rest} additional topics` : shown
}
