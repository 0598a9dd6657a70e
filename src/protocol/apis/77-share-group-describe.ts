import { array, bool, defineApi, int16, int32, nullable, string, struct, uuid } from '../schema.ts'

/** ShareGroupDescribe: state and members of share groups. KIP-932. */
export const ShareGroupDescribe = defineApi({
  key: 77,
  name: 'ShareGroupDescribe',
  versions: [1, 1],
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
        // GROUP_AUTHORIZATION_FAILED
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
            rackId: nullable(string()),
            memberEpoch: int32(),
            clientId: string(),
            clientHost: string(),
            subscribedTopicNames: array(string()),
            assignment: struct({
              topicPartitions: array(
                struct({
                  topicId: uuid(),
                  topicName: string(),
                  partitions: array(int32()),
                }),
              ),
            }),
          }),
        ),
        authorizedOperations: int32().default(-2147483648),
      }),
    ),
  },
})
