/**
 * CreateTopics 2-7 (v4 defaults KIP-464, v5 configs in the answer KIP-525, v7 topic id KIP-516).
 * Kept: each topic is decided for itself; validateOnly answers like success, with an id that means
 *   nothing; the answer leaves when every thread knows the topic, so that the client may go on.
 * Differs: in the profile dev a topic gets one replica, however many are asked for; too many
 *   partitions are refused before anything is made (POLICY_VIOLATION), also when the broker would
 *   hold more than `odradek.partitions.max` in all.
 */
import type { CreatedTopic } from '../../cluster/commands.ts'
import { type ConfigEntry, describeTopic } from '../../config/describe.ts'
import { CreateTopics } from '../../protocol/apis/19-create-topics.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import type { BrokerContext } from '../context.ts'
import { controllerLost, timedOut } from './controller-lost.ts'
import { defineHandler } from './handler.ts'

type TopicAnswer = NonNullable<ResponseInput<typeof CreateTopics>['topics']>[number]

/** From this version on the answer says what the topic is made of. KIP-525. */
const DESCRIBES_FROM = 5

export const createTopics = defineHandler(CreateTopics, [2, 7], (request, exchange) => {
  const { topics, validateOnly } = request
  const { context, apiVersion } = exchange
  if (request.timeoutMs <= 0) {
    exchange.reply({ topics: topics.map(({ name }) => ({ name, ...timedOut })) })
    return
  }
  context.callController({ kind: 'create-topics', topics, validateOnly }, (result) => {
    if (!result) {
      exchange.reply({ topics: topics.map(({ name }) => ({ name, ...controllerLost })) })
      return
    }
    const describes = apiVersion >= DESCRIBES_FROM
    exchange.reply({ topics: result.map((topic) => answerOf(topic, context, describes)) })
  })
})

function answerOf(topic: CreatedTopic, context: BrokerContext, describes: boolean): TopicAnswer {
  const { name, id, errorCode, errorMessage, partitions, replicationFactor } = topic
  const answer = {
    name,
    topicId: id,
    errorCode,
    errorMessage,
    numPartitions: partitions,
    replicationFactor,
  }
  if (!describes || errorCode !== ErrorCode.NONE) return answer
  const ask = { names: null, includeSynonyms: false, includeDocumentation: false }
  const entries = describeTopic(new Map(topic.configs), context.image.brokerConfig, ask)
  return { ...answer, configs: entries.map(configOf) }
}

function configOf({ name, value, readOnly, configSource, isSensitive }: ConfigEntry) {
  return { name, value, readOnly, configSource, isSensitive }
}
