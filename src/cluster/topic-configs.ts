/** The configurations that a new topic brings along. */
import { type Alteration, AlterOperation, alterTopic } from '../config/alter.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { CONFIG_LENGTH_MAX, configsOutgrown } from './config-limits.ts'
import type { ConfigEntries } from './delta.ts'
import type { ClusterImage } from './image.ts'

/**
 * Kafka's rules for CreateTopics: the last of two values of a key counts, null is INVALID_CONFIG.
 */
export function topicConfigsOf(
  image: ClusterImage,
  configs: readonly { name: string; value: string | null }[],
): { entries: ConfigEntries } | { errorCode: ErrorCode; errorMessage: string } {
  const last = new Map(configs.map(({ name, value }) => [name, value]))
  const alterations: Alteration[] = []
  for (const [name, value] of last) {
    if (value === null) return invalid(`Null value not supported for topic configs: ${name}`)
    alterations.push({ name, operation: AlterOperation.SET, value })
  }
  const altered = alterTopic(new Map(), alterations, image.brokerConfig)
  if (altered.kind === 'refused')
    return { errorCode: altered.errorCode as ErrorCode, errorMessage: altered.message }
  const entries = [...altered.texts]
  if (configsOutgrown(entries))
    return invalid(`Topic configs exceed ${CONFIG_LENGTH_MAX} characters.`)
  return { entries }
}

function invalid(errorMessage: string): { errorCode: ErrorCode; errorMessage: string } {
  return { errorCode: ErrorCode.INVALID_CONFIG, errorMessage }
}
