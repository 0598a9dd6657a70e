/**
 * Which partitions of a share group have a state with the share coordinator: only those are
 * assigned. Immutable; every change is another object. KIP-932.
 */
import { ascending } from './consumer-partitions.ts'

/** Partitions of one topic, ascending. */
export interface ShareTopic {
  readonly name: string
  readonly partitions: readonly number[]
}

/** By topic id. */
export interface ShareTopics {
  /** Their state is being made. */
  readonly initializing: ReadonlyMap<string, ShareTopic>
  readonly initialized: ReadonlyMap<string, ShareTopic>
  /** Names of topics whose state is being deleted. */
  readonly deleting: ReadonlyMap<string, string>
}

/** A partition of a topic that has an id. */
export interface SharePlace {
  readonly topicId: string
  readonly partition: number
}

/** A group that has read nothing yet. */
export const NO_SHARE_TOPICS: ShareTopics = {
  initializing: new Map(),
  initialized: new Map(),
  deleting: new Map(),
}

/** Of `wanted`, what has no state yet. */
export function uninitialized(
  { initialized }: ShareTopics,
  wanted: ReadonlyMap<string, ShareTopic>,
): Map<string, ShareTopic> {
  const missing = new Map<string, ShareTopic>()
  for (const [topicId, { name, partitions }] of wanted) {
    const known = initialized.get(topicId)?.partitions ?? []
    const left = partitions.filter((one) => !known.includes(one))
    if (left.length > 0) missing.set(topicId, { name, partitions: left })
  }
  return missing
}

/** The state of these is being made from now on. */
export function withInitializing(
  topics: ShareTopics,
  begun: ReadonlyMap<string, ShareTopic>,
): ShareTopics {
  return { ...topics, initializing: union(topics.initializing, begun) }
}

/** These have a state now. */
export function withInitialized(
  topics: ShareTopics,
  done: ReadonlyMap<string, ShareTopic>,
): ShareTopics {
  return {
    ...topics,
    initializing: difference(topics.initializing, done),
    initialized: union(topics.initialized, done),
  }
}

/** The state of these topics is being deleted from now on. */
export function withDeleting(topics: ShareTopics, topicIds: readonly string[]): ShareTopics {
  const initializing = new Map(topics.initializing)
  const initialized = new Map(topics.initialized)
  const deleting = new Map(topics.deleting)
  for (const topicId of topicIds) {
    const name = initialized.get(topicId)?.name ?? initializing.get(topicId)?.name
    initializing.delete(topicId)
    initialized.delete(topicId)
    if (name !== undefined) deleting.set(topicId, name)
  }
  return { initializing, initialized, deleting }
}

/** The state of these topics is gone. */
export function withDeleted(topics: ShareTopics, topicIds: readonly string[]): ShareTopics {
  const deleting = new Map(topics.deleting)
  for (const topicId of topicIds) deleting.delete(topicId)
  return { ...topics, deleting }
}

/** One by one. */
export function listed(topics: ReadonlyMap<string, ShareTopic>): SharePlace[] {
  return [...topics].flatMap(([topicId, { partitions }]) =>
    partitions.map((partition) => ({ topicId, partition })),
  )
}

function union(
  a: ReadonlyMap<string, ShareTopic>,
  b: ReadonlyMap<string, ShareTopic>,
): ReadonlyMap<string, ShareTopic> {
  const both = new Map(a)
  for (const [topicId, { name, partitions }] of b) {
    const known = both.get(topicId)?.partitions ?? []
    both.set(topicId, { name, partitions: ascending(new Set([...known, ...partitions])) })
  }
  return both
}

function difference(
  a: ReadonlyMap<string, ShareTopic>,
  b: ReadonlyMap<string, ShareTopic>,
): ReadonlyMap<string, ShareTopic> {
  const left = new Map<string, ShareTopic>()
  for (const [topicId, { name, partitions }] of a) {
    const gone = b.get(topicId)?.partitions ?? []
    const rest = partitions.filter((one) => !gone.includes(one))
    if (rest.length > 0) left.set(topicId, { name, partitions: rest })
  }
  return left
}
