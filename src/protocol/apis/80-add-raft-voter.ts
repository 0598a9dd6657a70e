import {
  array,
  bool,
  defineApi,
  int16,
  int32,
  nullable,
  string,
  struct,
  uint16,
  uuid,
} from '../schema.ts'

/** AddRaftVoter: adds a voter to the metadata quorum. KIP-853. */
export const AddRaftVoter = defineApi({
  key: 80,
  name: 'AddRaftVoter',
  versions: [0, 1],
  flexibleFrom: 0,
  request: {
    clusterId: nullable(string()).default(''),
    timeoutMs: int32(),
    voterId: int32(),
    voterDirectoryId: uuid(),
    listeners: array(
      struct({
        name: string(),
        host: string(),
        port: uint16(),
      }),
    ),
    ackWhenCommitted: bool().since(1).default(true),
  },
  response: {
    throttleTimeMs: int32(),
    // DUPLICATE_VOTER · INCONSISTENT_CLUSTER_ID · INVALID_REQUEST ·
    // UNSUPPORTED_VERSION · NOT_LEADER_OR_FOLLOWER · CLUSTER_AUTHORIZATION_FAILED ·
    // REQUEST_TIMED_OUT
    errorCode: int16(),
    errorMessage: nullable(string()).default(''),
  },
})
