import { defineApi, int16, int32, nullable, string, uuid } from '../schema.ts'

/** RemoveRaftVoter: removes a voter from the metadata quorum. KIP-853. */
export const RemoveRaftVoter = defineApi({
  key: 81,
  name: 'RemoveRaftVoter',
  versions: [0, 0],
  flexibleFrom: 0,
  request: {
    clusterId: nullable(string()).default(''),
    voterId: int32(),
    voterDirectoryId: uuid(),
  },
  response: {
    throttleTimeMs: int32(),
    // VOTER_NOT_FOUND · INCONSISTENT_CLUSTER_ID · INVALID_REQUEST ·
    // UNSUPPORTED_VERSION · NOT_LEADER_OR_FOLLOWER · CLUSTER_AUTHORIZATION_FAILED ·
    // REQUEST_TIMED_OUT
    errorCode: int16(),
    errorMessage: nullable(string()).default(''),
  },
})
