/** Which topic names are allowed. */

/** The longest topic name, in characters. A partition's directory needs room for `-<index>`. */
export const TOPIC_NAME_LENGTH_MAX = 249

const allowed = /^[a-zA-Z0-9._-]+$/

/**
 * The sentence with which Kafka refuses a topic name (INVALID_TOPIC_EXCEPTION); null: it is fine.
 */
export function topicNameProblem(name: string): string | null {
  const problem = problemOf(name)
  return problem === null ? null : `Topic name is invalid: ${problem}`
}

function problemOf(name: string): string | null {
  if (name === '') return 'the empty string is not allowed'
  if (name === '.' || name === '..') return `'${name}' is not allowed`
  if (name.length > TOPIC_NAME_LENGTH_MAX)
    return `the length of '${name}' is longer than the max allowed length ${TOPIC_NAME_LENGTH_MAX}`
  if (!allowed.test(name))
    return `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
  return null
}

/**
 * The form in which two names collide: metric names of Kafka's tools write a period as an
 * underscore, so `a.b` and `a_b` would be one. Undefined: a name without either cannot collide.
 */
export function collisionKey(name: string): string | undefined {
  return name.includes('.') || name.includes('_') ? name.replaceAll('.', '_') : undefined
}

/** The topics of the coordinators. Nobody but them writes there, and nobody deletes them. */
export const internalTopicNames: ReadonlySet<string> = new Set([
  '__consumer_offsets',
  '__transaction_state',
  '__share_group_state',
])

/** The name of KRaft's own log, which is never a topic that somebody may create. */
export const CLUSTER_METADATA_TOPIC = '__cluster_metadata'
