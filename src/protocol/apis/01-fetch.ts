import { INT64_MAX } from '../../base/bytes.ts'
import {
  array,
  defineApi,
  int8,
  int16,
  int32,
  int64,
  nullable,
  records,
  string,
  struct,
  uuid,
} from '../schema.ts'

/** Fetch: reads record batches, waiting for minBytes; followers read with it too. KIP-74; v4
 *  KIP-98 (isolation level); v7 KIP-227 (sessions); v9 KIP-320 (leader epochs); v11 KIP-392
 *  (rack, preferred replica); v12 KIP-595 (diverging epoch); v13 KIP-516 (topic ids); v15
 *  KIP-903 (replica state); v16 KIP-951 (new leaders); v17 KIP-853 (directory id); v18 KIP-1166
 *  (high watermark of followers). */
export const Fetch = defineApi({
  key: 1,
  name: 'Fetch',
  versions: [4, 18],
  flexibleFrom: 12,
  request: {
    clusterId: nullable(string()).tag(0, 12).ignorable(),
    replicaId: int32().until(14).default(-1),
    replicaState: struct({
      replicaId: int32().default(-1),
      replicaEpoch: int64().default(-1),
    }).tag(1, 15),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32().default(0x7fffffff),
    isolationLevel: int8(),
    sessionId: int32().since(7).ignorable(),
    sessionEpoch: int32().since(7).default(-1).ignorable(),
    topics: array(
      struct({
        topic: string().until(12).ignorable(),
        topicId: uuid().since(13).ignorable(),
        partitions: array(
          struct({
            partition: int32(),
            currentLeaderEpoch: int32().since(9).default(-1).ignorable(),
            fetchOffset: int64(),
            lastFetchedEpoch: int32().since(12).default(-1),
            logStartOffset: int64().since(5).default(-1).ignorable(),
            partitionMaxBytes: int32(),
            replicaDirectoryId: uuid().tag(0, 17).ignorable(),
            highWatermark: int64().tag(1, 18).default(INT64_MAX).ignorable(),
          }),
        ),
      }),
    ),
    forgottenTopicsData: array(
      struct({
        topic: string().until(12).ignorable(),
        topicId: uuid().since(13).ignorable(),
        partitions: array(int32()),
      }),
    ).since(7),
    rackId: string().since(11).ignorable(),
  },
  response: {
    throttleTimeMs: int32(),
    // FETCH_SESSION_ID_NOT_FOUND · INVALID_FETCH_SESSION_EPOCH ·
    // FETCH_SESSION_TOPIC_ID_ERROR · INCONSISTENT_TOPIC_ID
    errorCode: int16().since(7).ignorable(),
    sessionId: int32().since(7),
    responses: array(
      struct({
        topic: string().until(12).ignorable(),
        topicId: uuid().since(13).ignorable(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            // OFFSET_OUT_OF_RANGE · UNKNOWN_TOPIC_OR_PARTITION · NOT_LEADER_OR_FOLLOWER ·
            // TOPIC_AUTHORIZATION_FAILED · FENCED_LEADER_EPOCH · UNKNOWN_LEADER_EPOCH ·
            // UNKNOWN_TOPIC_ID · INCONSISTENT_TOPIC_ID · UNSUPPORTED_COMPRESSION_TYPE ·
            // KAFKA_STORAGE_ERROR · OFFSET_MOVED_TO_TIERED_STORAGE
            errorCode: int16(),
            highWatermark: int64(),
            lastStableOffset: int64().default(-1),
            logStartOffset: int64().since(5).default(-1).ignorable(),
            divergingEpoch: struct({
              epoch: int32().default(-1),
              endOffset: int64().default(-1),
            }).tag(0, 12),
            currentLeader: struct({
              leaderId: int32().default(-1),
              leaderEpoch: int32().default(-1),
            }).tag(1, 12),
            snapshotId: struct({
              endOffset: int64().default(-1),
              epoch: int32().default(-1),
            }).tag(2, 12),
            abortedTransactions: nullable(
              array(
                struct({
                  producerId: int64(),
                  firstOffset: int64(),
                }),
              ),
            ).default([]),
            preferredReadReplica: int32().since(11).default(-1),
            records: nullable(records()),
          }),
        ),
      }),
    ),
    nodeEndpoints: array(
      struct({
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: nullable(string()),
      }),
    ).tag(0, 16),
  },
})
