/** Topics that a program declares when it starts a broker: they are there before anybody asks. */
import { StartError } from '../broker/start-error.ts'
import type { Admin } from '../client/admin.ts'
import type { NewTopic } from '../client/admin-topics.ts'
import { PartialError } from '../client/errors.ts'

/** A topic by its name alone, with the broker's defaults, or with what it is made of. */
export type DeclaredTopic = string | NewTopic

/**
 * Creates the topics that are not there. One that is stays as it is, whatever its configuration;
 * where it has another number of partitions than was declared, nobody can tell which is meant.
 * Rejects with StartError.
 */
export async function declareTopics(
  admin: Admin,
  declared: readonly DeclaredTopic[],
): Promise<void> {
  if (declared.length === 0) return
  const topics = declared.map((one) => (typeof one === 'string' ? { topic: one } : one))
  const existing = await createMissing(admin, topics)
  if (existing.length === 0) return
  const described = await admin.describeTopics(existing)
  for (const { topic, partitions } of described) {
    const wanted = topics.find((one) => one.topic === topic)
    const count = wanted?.replicaAssignment?.length ?? wanted?.numPartitions ?? partitions.length
    if (count !== partitions.length) {
      throw new StartError(
        `the topic ${topic} has ${partitions.length} partitions, and ${count} are declared`,
      )
    }
  }
}

/** Answers the names of those that exist already. */
async function createMissing(admin: Admin, topics: readonly NewTopic[]): Promise<string[]> {
  try {
    await admin.createTopics(topics)
    return []
  } catch (error) {
    if (!(error instanceof PartialError)) throw error
    for (const [topic, { name, message }] of error.failures) {
      if (name === 'TOPIC_ALREADY_EXISTS') continue
      throw new StartError(`the topic ${topic} cannot be created: ${message}`)
    }
    return [...error.failures.keys()]
  }
}
