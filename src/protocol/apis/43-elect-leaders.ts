import { array, defineApi, int8, int16, int32, nullable, string, struct } from '../schema.ts'

/** ElectLeaders: triggers elections of leaders. KIP-183; v1 KIP-460 (election types). */
export const ElectLeaders = defineApi({
  key: 43,
  name: 'ElectLeaders',
  versions: [0, 2],
  flexibleFrom: 2,
  request: {
    electionType: int8().since(1),
    topicPartitions: nullable(
      array(
        struct({
          topic: string(),
          partitions: array(int32()),
        }),
      ),
    ).default([]),
    timeoutMs: int32().default(60000),
  },
  response: {
    throttleTimeMs: int32(),
    // ELECTION_NOT_NEEDED · PREFERRED_LEADER_NOT_AVAILABLE ·
    // ELIGIBLE_LEADERS_NOT_AVAILABLE · UNKNOWN_TOPIC_OR_PARTITION ·
    // CLUSTER_AUTHORIZATION_FAILED · INVALID_REQUEST
    errorCode: int16().since(1),
    replicaElectionResults: array(
      struct({
        topic: string(),
        partitionResult: array(
          struct({
            partitionId: int32(),
            // ELECTION_NOT_NEEDED · PREFERRED_LEADER_NOT_AVAILABLE ·
            // ELIGIBLE_LEADERS_NOT_AVAILABLE · UNKNOWN_TOPIC_OR_PARTITION ·
            // CLUSTER_AUTHORIZATION_FAILED · INVALID_REQUEST
            errorCode: int16(),
            errorMessage: nullable(string()).default(''),
          }),
        ),
      }),
    ),
  },
})
