import {
  array,
  bool,
  defineApi,
  int16,
  int32,
  int64,
  nullable,
  string,
  struct,
  uint16,
} from '../schema.ts'

const keyValue = struct({
  key: string(),
  value: string(),
})

const topicInfo = struct({
  name: string(),
  partitions: int32(),
  replicationFactor: int16(),
  topicConfigs: array(keyValue),
})

const taskOffset = struct({
  subtopologyId: string(),
  partition: int32(),
  offset: int64(),
})

const taskIds = struct({
  subtopologyId: string(),
  partitions: array(int32()),
})

const assignment = struct({
  activeTasks: array(taskIds),
  standbyTasks: array(taskIds),
  warmupTasks: array(taskIds),
})

/** StreamsGroupDescribe: state, topology and members of streams groups. KIP-1071. */
export const StreamsGroupDescribe = defineApi({
  key: 89,
  name: 'StreamsGroupDescribe',
  versions: [0, 0],
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
        topology: nullable(
          struct({
            epoch: int32(),
            subtopologies: nullable(
              array(
                struct({
                  subtopologyId: string(),
                  sourceTopics: array(string()),
                  repartitionSinkTopics: array(string()),
                  stateChangelogTopics: array(topicInfo),
                  repartitionSourceTopics: array(topicInfo),
                }),
              ),
            ),
          }),
        ),
        members: array(
          struct({
            memberId: string(),
            memberEpoch: int32(),
            instanceId: nullable(string()),
            rackId: nullable(string()),
            clientId: string(),
            clientHost: string(),
            topologyEpoch: int32(),
            processId: string(),
            userEndpoint: nullable(
              struct({
                host: string(),
                port: uint16(),
              }),
            ),
            clientTags: array(keyValue),
            taskOffsets: array(taskOffset),
            taskEndOffsets: array(taskOffset),
            assignment: assignment,
            targetAssignment: assignment,
            isClassic: bool(),
          }),
        ),
        authorizedOperations: int32().default(-2147483648),
      }),
    ),
  },
})
