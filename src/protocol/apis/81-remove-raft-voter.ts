import {
  defineApi,
  int16,
  int32,
  nullable,
  type RequestOf,
  type ResponseOf,
  string,
  uuid,
} from '../schema.ts'

/** RemoveRaftVoter. */
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
    errorCode: int16(),
    errorMessage: nullable(string()).default(''),
  },
})
/** A decoded request. */
export type RemoveRaftVoterRequest = RequestOf<typeof RemoveRaftVoter>
/** A decoded response. */
export type RemoveRaftVoterResponse = ResponseOf<typeof RemoveRaftVoter>
