import { array, defineMessage, int16, int32, type MessageOf, string, struct } from '../schema.ts'
import { defineRecord } from './record.ts'

const topicInfo = struct({
  name: string(),
  partitions: int32(),
  replicationFactor: int16(),
  topicConfigs: array(
    struct({
      key: string(),
      value: string(),
    }),
  ),
})

/** Key of StreamsGroupTopology. */
export const StreamsGroupTopologyKey = defineMessage({
  name: 'StreamsGroupTopologyKey',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    groupId: string(),
  },
})

/** Value of StreamsGroupTopology. */
export const StreamsGroupTopologyValue = defineMessage({
  name: 'StreamsGroupTopologyValue',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    epoch: int32(),
    subtopologies: array(
      struct({
        subtopologyId: string(),
        sourceTopics: array(string()),
        sourceTopicRegex: array(string()),
        stateChangelogTopics: array(topicInfo),
        repartitionSinkTopics: array(string()),
        repartitionSourceTopics: array(topicInfo),
        copartitionGroups: array(
          struct({
            sourceTopics: array(int16()),
            sourceTopicRegex: array(int16()),
            repartitionSourceTopics: array(int16()),
          }),
        ),
      }),
    ),
  },
})

/** The topology of a streams group. KIP-1071. */
export const StreamsGroupTopology = defineRecord({
  type: 23,
  key: StreamsGroupTopologyKey,
  value: StreamsGroupTopologyValue,
})
/** Decoded. */
export type StreamsGroupTopologyKey = MessageOf<typeof StreamsGroupTopologyKey>
/** Decoded. */
export type StreamsGroupTopologyValue = MessageOf<typeof StreamsGroupTopologyValue>
