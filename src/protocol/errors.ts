// The error codes of the protocol: one table of name, code, whether Kafka's clients retry, and a
// sentence for who reads it. Nothing else in odradek knows a code by its number.

const table = {
  UNKNOWN_SERVER_ERROR: [-1, false, 'The broker met an error that it did not foresee.'],
  NONE: [0, false, 'No error.'],
  OFFSET_OUT_OF_RANGE: [1, false, 'The log has no such offset.'],
  CORRUPT_MESSAGE: [2, true, 'A record batch is damaged: its checksum or structure is wrong.'],
  UNKNOWN_TOPIC_OR_PARTITION: [3, true, 'This broker knows no such topic or partition.'],
  INVALID_FETCH_SIZE: [4, false, 'The fetch size makes no sense.'],
  LEADER_NOT_AVAILABLE: [5, true, 'The partition has no leader at present.'],
  NOT_LEADER_OR_FOLLOWER: [6, true, 'This broker does not lead the partition; refresh metadata.'],
  REQUEST_TIMED_OUT: [7, true, 'The request did not finish within its timeout.'],
  BROKER_NOT_AVAILABLE: [8, false, 'The broker is not available.'],
  REPLICA_NOT_AVAILABLE: [9, true, 'The replica is not available here.'],
  MESSAGE_TOO_LARGE: [10, false, 'A record batch is larger than max.message.bytes allows.'],
  STALE_CONTROLLER_EPOCH: [11, false, 'The controller has moved to a newer epoch.'],
  OFFSET_METADATA_TOO_LARGE: [12, false, 'The metadata string of a committed offset is too long.'],
  NETWORK_EXCEPTION: [13, true, 'The connection broke before the response came.'],
  COORDINATOR_LOAD_IN_PROGRESS: [14, true, 'The coordinator is still loading its state.'],
  COORDINATOR_NOT_AVAILABLE: [15, true, 'The coordinator is not available.'],
  NOT_COORDINATOR: [16, true, 'This broker is not the coordinator; look it up again.'],
  INVALID_TOPIC_EXCEPTION: [17, false, 'The topic may not have this name or be used in this way.'],
  RECORD_LIST_TOO_LARGE: [18, false, 'The record batches are larger than a log segment.'],
  NOT_ENOUGH_REPLICAS: [19, true, 'Fewer replicas are in sync than min.insync.replicas.'],
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: [20, true, 'Too few replicas were in sync after the append.'],
  INVALID_REQUIRED_ACKS: [21, false, 'The required acks are none of -1, 0 and 1.'],
  ILLEGAL_GENERATION: [22, false, 'The group is in another generation.'],
  INCONSISTENT_GROUP_PROTOCOL: [23, false, 'The protocols of the member do not fit the group.'],
  INVALID_GROUP_ID: [24, false, 'The group id is not valid.'],
  UNKNOWN_MEMBER_ID: [25, false, 'The group has no such member.'],
  INVALID_SESSION_TIMEOUT: [26, false, 'The session timeout is outside of what the broker allows.'],
  REBALANCE_IN_PROGRESS: [27, false, 'The group is rebalancing; join again.'],
  INVALID_COMMIT_OFFSET_SIZE: [28, false, 'The offset commit is too large to be stored.'],
  TOPIC_AUTHORIZATION_FAILED: [29, false, 'Not authorized for the topic.'],
  GROUP_AUTHORIZATION_FAILED: [30, false, 'Not authorized for the group.'],
  CLUSTER_AUTHORIZATION_FAILED: [31, false, 'Not authorized for the cluster.'],
  INVALID_TIMESTAMP: [32, false, 'The timestamp of a record is out of range.'],
  UNSUPPORTED_SASL_MECHANISM: [33, false, 'The SASL mechanism is not enabled.'],
  ILLEGAL_SASL_STATE: [34, false, 'The request does not fit the state of the authentication.'],
  UNSUPPORTED_VERSION: [35, false, 'The version of the API is not supported.'],
  TOPIC_ALREADY_EXISTS: [36, false, 'A topic of this name exists.'],
  INVALID_PARTITIONS: [37, false, 'The number of partitions is not valid.'],
  INVALID_REPLICATION_FACTOR: [38, false, 'The replication factor does not fit the brokers.'],
  INVALID_REPLICA_ASSIGNMENT: [39, false, 'The replica assignment is not valid.'],
  INVALID_CONFIG: [40, false, 'The configuration is not valid.'],
  NOT_CONTROLLER: [41, true, 'This node is not the controller.'],
  INVALID_REQUEST: [42, false, 'The request contradicts itself or the protocol.'],
  UNSUPPORTED_FOR_MESSAGE_FORMAT: [43, false, 'The message format does not support the request.'],
  POLICY_VIOLATION: [44, false, 'A policy of the broker forbids the request.'],
  OUT_OF_ORDER_SEQUENCE_NUMBER: [45, false, 'The sequence number of the producer leaves a gap.'],
  DUPLICATE_SEQUENCE_NUMBER: [46, false, 'The sequence number of the producer was used before.'],
  INVALID_PRODUCER_EPOCH: [47, false, 'The producer has an old epoch.'],
  INVALID_TXN_STATE: [48, false, 'The state of the transaction does not allow the request.'],
  INVALID_PRODUCER_ID_MAPPING: [49, false, 'The transactional id has another producer id.'],
  INVALID_TRANSACTION_TIMEOUT: [50, false, 'The transaction timeout is outside of its limits.'],
  CONCURRENT_TRANSACTIONS: [51, true, 'The transaction is still being changed; try again.'],
  TRANSACTION_COORDINATOR_FENCED: [52, false, 'The transaction coordinator has an old epoch.'],
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: [53, false, 'Not authorized for the transactional id.'],
  SECURITY_DISABLED: [54, false, 'The security feature is not enabled.'],
  OPERATION_NOT_ATTEMPTED: [
    55,
    false,
    'Not attempted, because another part of the request failed.',
  ],
  KAFKA_STORAGE_ERROR: [56, true, 'The disk of the partition failed.'],
  LOG_DIR_NOT_FOUND: [57, false, 'The broker has no such log directory.'],
  SASL_AUTHENTICATION_FAILED: [58, false, 'The authentication failed.'],
  UNKNOWN_PRODUCER_ID: [59, false, 'Nothing is known any more of this producer id.'],
  REASSIGNMENT_IN_PROGRESS: [60, false, 'The partition is being reassigned.'],
  DELEGATION_TOKEN_AUTH_DISABLED: [61, false, 'Delegation tokens are not enabled.'],
  DELEGATION_TOKEN_NOT_FOUND: [62, false, 'There is no such delegation token.'],
  DELEGATION_TOKEN_OWNER_MISMATCH: [63, false, 'The delegation token belongs to somebody else.'],
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: [64, false, 'This channel may not ask for tokens.'],
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: [65, false, 'Not authorized for the delegation token.'],
  DELEGATION_TOKEN_EXPIRED: [66, false, 'The delegation token has expired.'],
  INVALID_PRINCIPAL_TYPE: [67, false, 'The type of the principal is not supported.'],
  NON_EMPTY_GROUP: [68, false, 'The group has members.'],
  GROUP_ID_NOT_FOUND: [69, false, 'There is no such group.'],
  FETCH_SESSION_ID_NOT_FOUND: [70, true, 'There is no such fetch session.'],
  INVALID_FETCH_SESSION_EPOCH: [71, true, 'The fetch session is at another epoch.'],
  LISTENER_NOT_FOUND: [72, true, 'The leader has no listener of the name that was used.'],
  TOPIC_DELETION_DISABLED: [73, false, 'Topics may not be deleted: delete.topic.enable is false.'],
  FENCED_LEADER_EPOCH: [74, true, 'The leader epoch of the request is older than ours.'],
  UNKNOWN_LEADER_EPOCH: [75, true, 'The leader epoch of the request is newer than ours.'],
  UNSUPPORTED_COMPRESSION_TYPE: [76, false, 'The client cannot read the compression in use.'],
  STALE_BROKER_EPOCH: [77, false, 'The broker epoch is out of date.'],
  OFFSET_NOT_AVAILABLE: [78, true, 'The new leader cannot yet answer with a sure offset.'],
  MEMBER_ID_REQUIRED: [79, false, 'Join again with the member id that this response gives.'],
  PREFERRED_LEADER_NOT_AVAILABLE: [80, true, 'The preferred leader is not available.'],
  GROUP_MAX_SIZE_REACHED: [81, false, 'The group has as many members as it may have.'],
  FENCED_INSTANCE_ID: [82, false, 'Another member has taken this group.instance.id.'],
  ELIGIBLE_LEADERS_NOT_AVAILABLE: [83, true, 'No eligible leader is available.'],
  ELECTION_NOT_NEEDED: [84, true, 'The partition has the wanted leader.'],
  NO_REASSIGNMENT_IN_PROGRESS: [85, false, 'The partition is not being reassigned.'],
  GROUP_SUBSCRIBED_TO_TOPIC: [86, false, 'A member of the group subscribes to the topic.'],
  INVALID_RECORD: [87, false, 'The broker refuses a record of the batch.'],
  UNSTABLE_OFFSET_COMMIT: [88, true, 'A transaction that commits this offset is not finished.'],
  THROTTLING_QUOTA_EXCEEDED: [89, true, 'The quota is used up; wait for the throttle time.'],
  PRODUCER_FENCED: [90, false, 'A newer producer has taken the transactional id.'],
  RESOURCE_NOT_FOUND: [91, false, 'There is no such resource.'],
  DUPLICATE_RESOURCE: [92, false, 'The request names a resource twice.'],
  UNACCEPTABLE_CREDENTIAL: [93, false, 'The credential does not meet the requirements.'],
  INCONSISTENT_VOTER_SET: [94, false, 'Sender and receiver disagree about the voters.'],
  INVALID_UPDATE_VERSION: [95, false, 'The version of the update is not valid.'],
  FEATURE_UPDATE_FAILED: [96, false, 'The features could not be updated.'],
  PRINCIPAL_DESERIALIZATION_FAILURE: [97, false, 'The forwarded principal cannot be read.'],
  SNAPSHOT_NOT_FOUND: [98, false, 'There is no such snapshot.'],
  POSITION_OUT_OF_RANGE: [99, false, 'The snapshot has no such position.'],
  UNKNOWN_TOPIC_ID: [100, true, 'This broker knows no topic of this id.'],
  DUPLICATE_BROKER_REGISTRATION: [101, false, 'Another broker is registered under this id.'],
  BROKER_ID_NOT_REGISTERED: [102, false, 'No broker is registered under this id.'],
  INCONSISTENT_TOPIC_ID: [103, true, 'The log belongs to another topic id.'],
  INCONSISTENT_CLUSTER_ID: [104, false, 'The request was meant for another cluster.'],
  TRANSACTIONAL_ID_NOT_FOUND: [105, false, 'There is no such transactional id.'],
  FETCH_SESSION_TOPIC_ID_ERROR: [106, true, 'The fetch session has trouble with topic ids.'],
  INELIGIBLE_REPLICA: [107, false, 'The new in-sync set names a replica that may not join.'],
  NEW_LEADER_ELECTED: [108, false, 'The in-sync set is accepted, and the leader has changed.'],
  OFFSET_MOVED_TO_TIERED_STORAGE: [109, false, 'The offset is in tiered storage only.'],
  FENCED_MEMBER_EPOCH: [110, false, 'The member is fenced; give up all partitions and join again.'],
  UNRELEASED_INSTANCE_ID: [111, false, 'Another member still uses this instance id.'],
  UNSUPPORTED_ASSIGNOR: [112, false, 'The assignor is not offered.'],
  STALE_MEMBER_EPOCH: [113, false, 'The member epoch is stale; heartbeat, then try again.'],
  MISMATCHED_ENDPOINT_TYPE: [114, false, 'The request was sent to the wrong type of endpoint.'],
  UNSUPPORTED_ENDPOINT_TYPE: [115, false, 'The type of endpoint is not supported.'],
  UNKNOWN_CONTROLLER_ID: [116, false, 'There is no such controller.'],
  UNKNOWN_SUBSCRIPTION_ID: [117, false, 'The telemetry subscription is out of date.'],
  TELEMETRY_TOO_LARGE: [118, false, 'The telemetry is larger than the broker accepts.'],
  INVALID_REGISTRATION: [119, false, 'The registration of the broker is not valid.'],
  TRANSACTION_ABORTABLE: [120, false, 'The transaction met an error and has to be aborted.'],
  INVALID_RECORD_STATE: [121, false, 'The member has not acquired the record.'],
  SHARE_SESSION_NOT_FOUND: [122, true, 'There is no such share session.'],
  INVALID_SHARE_SESSION_EPOCH: [123, true, 'The share session is at another epoch.'],
  FENCED_STATE_EPOCH: [124, false, 'The state epoch of the share group is old.'],
  INVALID_VOTER_KEY: [125, false, 'The voter key does not fit the receiving node.'],
  DUPLICATE_VOTER: [126, false, 'The node is a voter already.'],
  VOTER_NOT_FOUND: [127, false, 'The node is not a voter.'],
  INVALID_REGULAR_EXPRESSION: [128, false, 'The regular expression is not valid.'],
  REBOOTSTRAP_REQUIRED: [129, false, 'Start again from the bootstrap servers.'],
  STREAMS_INVALID_TOPOLOGY: [130, false, 'The streams topology is not valid.'],
  STREAMS_INVALID_TOPOLOGY_EPOCH: [131, false, 'The epoch of the streams topology is not valid.'],
  STREAMS_TOPOLOGY_FENCED: [132, false, 'The group has a newer streams topology.'],
  SHARE_SESSION_LIMIT_REACHED: [133, true, 'The broker has no room for another share session.'],
} as const satisfies Record<string, readonly [code: number, retriable: boolean, sentence: string]>

/** The name of an error code. */
export type ErrorName = keyof typeof table

/** The codes by name: `ErrorCode.NOT_LEADER_OR_FOLLOWER`. */
export const ErrorCode = Object.fromEntries(
  Object.entries(table).map(([name, [code]]) => [name, code]),
) as { readonly [N in ErrorName]: (typeof table)[N][0] }

/** Any error code of the protocol. */
export type ErrorCode = (typeof ErrorCode)[ErrorName]

type ErrorFacts = {
  readonly name: ErrorName
  readonly retriable: boolean
  readonly sentence: string
}

const byCode = new Map<number, ErrorFacts>(
  Object.entries(table).map(([name, [code, retriable, sentence]]) => [
    code,
    { name: name as ErrorName, retriable, sentence },
  ]),
)

/** The name of a code; of a code that we do not know, the number as text. */
export function errorName(code: number): string {
  return byCode.get(code)?.name ?? String(code)
}

/** Whether Kafka's clients try again after this code. */
export function isRetriable(code: number): boolean {
  return byCode.get(code)?.retriable ?? false
}

/** What a code means, in a sentence for people. */
export function errorSentence(code: number): string {
  return byCode.get(code)?.sentence ?? `Error ${code}, which this client does not know.`
}
