/**
 * Where the interactive queries of a streams group are answered: the partitions of each member that
 * has an endpoint. Source: Kafka's EndpointToPartitionsManager, KIP-1071.
 */
import type { GroupAnswers } from './commands.ts'
import type { TopicDirectory } from './consumer-topics.ts'
import type { StreamsMember } from './streams-member.ts'
import { activeList, type TaskList, taskList } from './streams-tasks.ts'
import type { ConfiguredTopology } from './streams-topics.ts'
import { inputTopics } from './streams-topology.ts'

type Endpoints = NonNullable<GroupAnswers['streams-group-heartbeat']['partitionsByUserEndpoint']>

/** Of all members with an endpoint. */
export function endpointsOf(
  members: Iterable<StreamsMember>,
  configured: ConfiguredTopology,
  topics: TopicDirectory,
): Endpoints {
  return [...members].flatMap(({ userEndpoint, assigned }) => {
    if (userEndpoint === null) return []
    const partitions = (tasks: TaskList) => partitionsOf(tasks, configured, topics)
    return [
      {
        userEndpoint,
        activePartitions: partitions(activeList(assigned.active)),
        standbyPartitions: partitions(taskList(assigned.standby)),
      },
    ]
  })
}

function partitionsOf(tasks: TaskList, configured: ConfiguredTopology, topics: TopicDirectory) {
  return tasks.flatMap(({ subtopologyId, partitions }) => {
    const found = configured.subtopologies.get(subtopologyId)
    const names = found === undefined ? [] : inputTopics(found.subtopology)
    return names.flatMap((topic) => {
      const count = topics.topic(topic)?.partitions.length
      // As Kafka: the first ones where a topic has fewer partitions than there are tasks.
      return count === undefined ? [] : [{ topic, partitions: partitions.slice(0, count) }]
    })
  })
}
