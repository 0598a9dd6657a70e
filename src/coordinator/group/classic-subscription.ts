/** What consumers say of themselves inside of JoinGroup: the embedded consumer protocol. */
import { readInt16 } from '../../base/bytes.ts'
import { decodeMessage } from '../../protocol/compile.ts'
import { MalformedRequest } from '../../protocol/reader.ts'
import { ConsumerProtocolSubscription } from '../../protocol/records/consumer-protocol-subscription.ts'

const VERSION_BYTES = 2

/** A member's subscription; undefined when the bytes are none. */
export function decodeSubscription(metadata: Buffer): ConsumerProtocolSubscription | undefined {
  if (metadata.length < VERSION_BYTES) return undefined
  const version = readInt16(metadata, 0)
  if (version < 0) return undefined
  const known = Math.min(version, ConsumerProtocolSubscription.versions[1])
  try {
    return decodeMessage(ConsumerProtocolSubscription, known, metadata, VERSION_BYTES)
  } catch (error) {
    if (!(error instanceof MalformedRequest)) throw error
    return undefined
  }
}

/** The topics of all of them together; undefined when one cannot be read. */
export function subscribedTopics(subscriptions: readonly Buffer[]): Set<string> | undefined {
  const topics = new Set<string>()
  for (const metadata of subscriptions) {
    const subscription = decodeSubscription(metadata)
    if (subscription === undefined) return undefined
    for (const topic of subscription.topics) topics.add(topic)
  }
  return topics
}
