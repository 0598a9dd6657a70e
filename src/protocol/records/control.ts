// The records inside of control batches: transaction markers, and what Raft writes of itself.
// A control record's key is an int16 version and an int16 type; the type says what the value is.

import {
  array,
  defineMessage,
  int16,
  int32,
  int64,
  string,
  struct,
  uint16,
  uuid,
} from '../schema.ts'

const voter = struct({
  voterId: int32(),
  voterDirectoryId: uuid().since(1),
})

/** EndTxnMarker. */
export const EndTxnMarker = defineMessage({
  name: 'EndTxnMarker',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    coordinatorEpoch: int32(),
  },
})

/** LeaderChangeMessage. */
export const LeaderChangeMessage = defineMessage({
  name: 'LeaderChangeMessage',
  versions: [0, 1],
  flexibleFrom: 0,
  fields: {
    version: int16(),
    leaderId: int32(),
    voters: array(voter),
    grantingVoters: array(voter),
  },
})

/** ControlRecordTypeSchema. */
export const ControlRecordKey = defineMessage({
  name: 'ControlRecordTypeSchema',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    type: int16(),
  },
})

/** SnapshotHeaderRecord. */
export const SnapshotHeaderRecord = defineMessage({
  name: 'SnapshotHeaderRecord',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    version: int16(),
    lastContainedLogTimestamp: int64(),
  },
})

/** SnapshotFooterRecord. */
export const SnapshotFooterRecord = defineMessage({
  name: 'SnapshotFooterRecord',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    version: int16(),
  },
})

/** VotersRecord. */
export const VotersRecord = defineMessage({
  name: 'VotersRecord',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    version: int16(),
    voters: array(
      struct({
        voterId: int32(),
        voterDirectoryId: uuid(),
        endpoints: array(
          struct({
            name: string(),
            host: string(),
            port: uint16(),
          }),
        ),
        kRaftVersionFeature: struct({
          minSupportedVersion: int16(),
          maxSupportedVersion: int16(),
        }),
      }),
    ),
  },
})

/** KRaftVersionRecord. */
export const KRaftVersionRecord = defineMessage({
  name: 'KRaftVersionRecord',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    version: int16(),
    kRaftVersion: int16(),
  },
})
