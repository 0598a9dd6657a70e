import {
  array,
  bool,
  defineApi,
  int8,
  int16,
  int32,
  nullable,
  string,
  struct,
  uuid,
} from '../schema.ts'

const assignment = struct({
  topicPartitions: array(
    struct({
      topicId: uuid(),
      topicName: string(),
      partitions: array(int32()),
    }),
  ),
})

/** ConsumerGroupDescribe: state and members of consumer groups. KIP-848; v1 member type. */
export const ConsumerGroupDescribe = defineApi({
  key: 69,
  name: 'ConsumerGroupDescribe',
  versions: [0, 1],
  flexibleFrom: 0,
  request: {
    groupIds: array(string()),
    includeAuthorizedOperations: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    groups: array(
      struct({
        // COORDINATOR_NOT_AVAILABLE · COORDINATOR_LOAD_IN_PROGRESS · NOT_COORDINATOR ·
        // GROUP_ID_NOT_FOUND · INVALID_GROUP_ID · INVALID_REQUEST ·
        // GROUP_AUTHORIZATION_FAILED · TOPIC_AUTHORIZATION_FAILED
        errorCode: int16(),
        errorMessage: nullable(string()),
        groupId: string(),
        groupState: string(),
        groupEpoch: int32(),
        assignmentEpoch: int32(),
        assignorName: string(),
        members: array(
          struct({
            memberId: string(),
            instanceId: nullable(string()),
            rackId: nullable(string()),
            memberEpoch: int32(),
            clientId: string(),
            clientHost: string(),
            subscribedTopicNames: array(string()),
            subscribedTopicRegex: nullable(string()),
            assignment: assignment,
            targetAssignment: assignment,
            memberType: int8().since(1).default(-1).ignorable(),
          }),
        ),
        authorizedOperations: int32().default(-2147483648),
      }),
    ),
  },
})
