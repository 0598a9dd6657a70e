import { array, bool, defineApi, int16, int32, nullable, string, struct } from '../schema.ts'

/** CreatePartitions: adds partitions to topics. KIP-195; v3 KIP-599 (quotas). */
export const CreatePartitions = defineApi({
  key: 37,
  name: 'CreatePartitions',
  versions: [0, 3],
  flexibleFrom: 2,
  request: {
    topics: array(
      struct({
        name: string(),
        count: int32(),
        assignments: nullable(
          array(
            struct({
              brokerIds: array(int32()),
            }),
          ),
        ).default([]),
      }),
    ),
    timeoutMs: int32(),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    results: array(
      struct({
        name: string(),
        // UNKNOWN_TOPIC_OR_PARTITION · INVALID_PARTITIONS · INVALID_REPLICA_ASSIGNMENT ·
        // INVALID_TOPIC_EXCEPTION · INVALID_REQUEST · REASSIGNMENT_IN_PROGRESS ·
        // POLICY_VIOLATION · TOPIC_AUTHORIZATION_FAILED · THROTTLING_QUOTA_EXCEEDED ·
        // REQUEST_TIMED_OUT
        errorCode: int16(),
        errorMessage: nullable(string()),
      }),
    ),
  },
})
