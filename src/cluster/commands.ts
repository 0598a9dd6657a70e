/**
 * What the controller is asked and what it answers: the nouns of the control plane, as plain values
 * that cross threads. The decisions stand beside: create-topics, delete-topics, create-partitions,
 * alter-configs.
 */
import type { ErrorCode } from '../protocol/errors.ts'
import type { MetadataDelta } from './delta.ts'

/** A topic that somebody wants, as CreateTopics says it. */
export interface NewTopic {
  name: string
  /** -1: the broker's `num.partitions`, or the number of assignments. */
  numPartitions: number
  /** -1: the broker's `default.replication.factor`. */
  replicationFactor: number
  /** A manual assignment; empty when the controller may place. */
  assignments: readonly { partitionIndex: number; brokerIds: readonly number[] }[]
  configs: readonly { name: string; value: string | null }[]
}

/** A topic to delete: by name or by id; Kafka wants exactly one of the two. */
export interface TopicToDelete {
  name: string | null
  /** ZERO_UUID: not given. */
  id: string
}

/** A topic that is to have more partitions. */
export interface MorePartitions {
  name: string
  /** Partitions that the topic has afterwards. */
  count: number
  /** One for each added partition, or null when the controller may place. */
  assignments: readonly { brokerIds: readonly number[] }[] | null
}

/**
 * Whose configuration: Kafka's ConfigResource.Type (2 topic, 4 broker, 8 logger, 16 client metrics,
 * 32 group).
 */
export interface ConfigResource {
  type: number
  name: string
}

/** The resource types of Kafka's config APIs. */
export const ConfigResourceType = {
  UNKNOWN: 0,
  TOPIC: 2,
  BROKER: 4,
  BROKER_LOGGER: 8,
  CLIENT_METRICS: 16,
  GROUP: 32,
} as const

/**
 * One operation on one key; `operation` is Kafka's AlterConfigOp (0 SET, 1 DELETE, 2 APPEND, 3
 * SUBTRACT).
 */
export interface ConfigAlteration {
  name: string
  operation: number
  value: string | null
}

/** A resource and what is to become of its configuration. */
export interface ResourceAlteration extends ConfigResource {
  alterations: readonly ConfigAlteration[]
}

/** An error code with the sentence that goes with it; NONE has no sentence. */
export interface Outcome {
  errorCode: ErrorCode
  errorMessage: string | null
}

/** On errors `id` is ZERO_UUID and the numbers are -1. */
export interface CreatedTopic extends Outcome {
  name: string
  id: string
  partitions: number
  replicationFactor: number
  /** What the topic's own configurations are (or would be, when only validated). */
  configs: readonly (readonly [key: string, text: string])[]
}

/** `name` is null where an id names no topic. */
export interface DeletedTopic extends Outcome {
  name: string | null
  id: string
}

export interface GrownTopic extends Outcome {
  name: string
}

export interface AlteredResource extends ConfigResource, Outcome {}

/** What a decision says: an answer for each thing asked, and the changes that make it true. */
export interface Decision<Answer> {
  answers: readonly Answer[]
  /** To be kept durably before anything of it is seen or answered. */
  deltas: readonly MetadataDelta[]
}
