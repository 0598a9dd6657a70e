/**
 * How many partitions the internal topics of a topology are to have: repartition topics as many as
 * the most that is written into them comes from, those that are joined as many as each other,
 * changelogs as many as their subtopology has tasks. Source: Kafka's RepartitionTopics,
 * CopartitionedTopicsEnforcer and ChangelogTopics, KIP-1071.
 */
import { ErrorCode } from '../../protocol/errors.ts'
import type { TopicDirectory } from './consumer-topics.ts'
import { inputTopics, type StreamsTopology, type Subtopology } from './streams-topology.ts'

/** Codes of the statuses that a heartbeat answers. */
export const StreamsStatus = {
  STALE_TOPOLOGY: 0,
  MISSING_SOURCE_TOPICS: 1,
  INCORRECTLY_PARTITIONED_TOPICS: 2,
  MISSING_INTERNAL_TOPICS: 3,
  SHUTDOWN_APPLICATION: 4,
  ASSIGNMENT_DELAYED: 5,
} as const

/** Why no tasks can be made: a status that may pass, or an error that cannot. */
export type TopologyFault =
  | { readonly kind: 'status'; readonly code: number; readonly detail: string }
  | { readonly kind: 'refused'; readonly errorCode: ErrorCode; readonly message: string }

/** Decided partition counts of internal topics, by name. */
export type PartitionCounts = ReadonlyMap<string, number>

/** A topology that refers to what it does not have. */
export function refused(
  message: string,
  errorCode: ErrorCode = ErrorCode.STREAMS_INVALID_TOPOLOGY,
): TopologyFault {
  return { kind: 'refused', errorCode, message }
}

/** Topics of which there are more or fewer partitions than the topology needs. */
export function incorrectlyPartitioned(detail: string): TopologyFault {
  return { kind: 'status', code: StreamsStatus.INCORRECTLY_PARTITIONED_TOPICS, detail }
}

/** The counts for all internal topics; all source topics exist. */
export function decideCounts(
  topology: StreamsTopology,
  topics: TopicDirectory,
): Map<string, number> | TopologyFault {
  const counts = new Map<string, number>()
  const known: CountOf = (topic) => topics.topic(topic)?.partitions.length ?? counts.get(topic)
  const { subtopologies } = topology
  const fault =
    repartitionCounts(subtopologies, topics, counts) ??
    copartition(topology, counts, known) ??
    changelogCounts(subtopologies, counts, known)
  return fault ?? counts
}

/** How many partitions a topic has, or is to have. */
type CountOf = (topic: string) => number | undefined

function repartitionCounts(
  subtopologies: readonly Subtopology[],
  topics: TopicDirectory,
  counts: Map<string, number>,
): TopologyFault | undefined {
  for (const { repartitionSourceTopics } of subtopologies) {
    for (const { name, partitions } of repartitionSourceTopics) {
      if (partitions < 0) return NEGATIVE
      if (partitions > 0) counts.set(name, partitions)
    }
  }
  // What is written into one may come from another: again until nothing is left to find out.
  for (;;) {
    const before = counts.size
    let open = false
    for (const one of subtopologies) {
      for (const sink of one.repartitionSinkTopics) {
        if (counts.has(sink)) continue
        const count = mostInput(one, topics, counts)
        if (count === undefined) open = true
        else counts.set(sink, count)
      }
    }
    if (!open) break
    if (counts.size === before) {
      return refused(
        'Failed to compute number of partitions for all repartition topics. There may be loops in' +
          ' the topology that cannot be resolved.',
      )
    }
  }
  const sources = subtopologies.flatMap((one) => one.repartitionSourceTopics)
  if (sources.every(({ name }) => counts.has(name))) return undefined
  return refused(
    'Failed to compute number of partitions for all repartition topics, because a repartition' +
      ' source topic is never used as a sink topic.',
  )
}

const NEGATIVE = refused('Number of partitions must be at least 1.', ErrorCode.UNKNOWN_SERVER_ERROR)

function mostInput(
  { sourceTopics, repartitionSourceTopics }: Subtopology,
  topics: TopicDirectory,
  counts: PartitionCounts,
): number | undefined {
  const found = [
    ...repartitionSourceTopics.map(({ name }) => counts.get(name)),
    ...sourceTopics.map((name) => topics.topic(name)?.partitions.length ?? counts.get(name)),
  ].filter((count) => count !== undefined)
  return found.length === 0 ? undefined : Math.max(...found)
}

function copartition(
  topology: StreamsTopology,
  counts: Map<string, number>,
  countOf: CountOf,
): TopologyFault | undefined {
  const repartition = topology.subtopologies.flatMap((one) => one.repartitionSourceTopics)
  const fixed = new Set(repartition.filter((one) => one.partitions !== 0).map(({ name }) => name))
  const flexible = new Set(
    repartition.filter((one) => one.partitions === 0).map(({ name }) => name),
  )
  for (const one of topology.subtopologies) {
    for (const group of copartitionGroups(one)) {
      if (group === undefined) return UNKNOWN_TOPIC
      const fault = enforce({ group, fixed, flexible }, counts, countOf)
      if (fault) return fault
    }
  }
  return undefined
}

const UNKNOWN_TOPIC = refused(
  'A copartition group names a topic that its subtopology does not have.',
  ErrorCode.UNKNOWN_SERVER_ERROR,
)

/** Names of the topics of each group; undefined: it names one that there is not. */
function copartitionGroups(one: Subtopology): (Set<string> | undefined)[] {
  return one.copartitionGroups.map(({ sourceTopics, repartitionSourceTopics }) => {
    const names = [
      ...sourceTopics.map((i) => one.sourceTopics[i]),
      ...repartitionSourceTopics.map((i) => one.repartitionSourceTopics[i]?.name),
    ]
    const found = names.filter((name) => name !== undefined)
    return found.length === names.length ? new Set(found) : undefined
  })
}

interface CopartitionGroup {
  readonly group: ReadonlySet<string>
  readonly fixed: ReadonlySet<string>
  readonly flexible: ReadonlySet<string>
}

function enforce(
  { group, fixed, flexible }: CopartitionGroup,
  counts: Map<string, number>,
  countOf: CountOf,
): TopologyFault | undefined {
  if (group.size === 0) return undefined
  const all = new Map<string, number>()
  for (const name of group) {
    const count = countOf(name)
    if (count === undefined) return UNKNOWN_TOPIC
    all.set(name, count)
  }
  const isRepartition = (name: string) => fixed.has(name) || flexible.has(name)
  const repartition = [...all].filter(([name]) => isRepartition(name))
  const sources = [...all].filter(([name]) => !isRepartition(name))
  // Where all are internal the fixed ones decide, of the whole topology as in Kafka.
  const deciding =
    sources.length > 0
      ? sources
      : [...fixed].map((name): [string, number] => [name, countOf(name) ?? 0])
  const wanted = deciding[0]?.[1] ?? Math.max(...all.values())
  if (deciding.some(([, count]) => count !== wanted)) {
    return incorrectlyPartitioned(
      'Following topics do not have the same number of partitions: ' +
        `[${inBraces(sources.length > 0 ? sources : repartition)}]`,
    )
  }
  for (const [name, count] of repartition) {
    if (!fixed.has(name)) counts.set(name, wanted)
    else if (count !== wanted) {
      return incorrectlyPartitioned(
        `Number of partitions [${count}] of repartition topic [${name}] doesn't match number of` +
          ` partitions [${wanted}] of the source topic.`,
      )
    }
  }
  return undefined
}

/** As Java prints a sorted map. */
function inBraces(counts: readonly (readonly [string, number])[]): string {
  const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${sorted.map(([name, count]) => `${name}=${count}`).join(', ')}}`
}

function changelogCounts(
  subtopologies: readonly Subtopology[],
  counts: Map<string, number>,
  countOf: CountOf,
): TopologyFault | undefined {
  for (const one of subtopologies) {
    const most = taskCount(one, countOf)
    if (most === undefined) {
      return refused(`No source topics found for subtopology ${one.subtopologyId}`)
    }
    for (const { name } of one.stateChangelogTopics) counts.set(name, most)
  }
  return undefined
}

/** How many tasks a subtopology has; undefined: it reads nothing. */
export function taskCount(one: Subtopology, countOf: CountOf): number | undefined {
  const inputs = inputTopics(one).map((name) => countOf(name) ?? 0)
  return inputs.length === 0 ? undefined : Math.max(...inputs)
}
