// The records inside of control batches: transaction markers, and what Raft writes of itself.

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

/** The value of the COMMIT and ABORT markers of transactions. An int16 version stands before
 *  it. KIP-98. */
export const EndTxnMarker = defineMessage({
  name: 'EndTxnMarker',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    coordinatorEpoch: int32(),
  },
})

/** The value of the record with which a Raft leader begins its epoch. KIP-595. */
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

/** The key of a control record, behind an int16 version. Type 0 is ABORT, 1 COMMIT. */
export const ControlRecordKey = defineMessage({
  name: 'ControlRecordTypeSchema',
  versions: [0, 0],
  flexibleFrom: null,
  fields: {
    type: int16(),
  },
})

/** The value of the first record of a snapshot. KIP-630. */
export const SnapshotHeaderRecord = defineMessage({
  name: 'SnapshotHeaderRecord',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    version: int16(),
    lastContainedLogTimestamp: int64(),
  },
})

/** The value of the last record of a snapshot. KIP-630. */
export const SnapshotFooterRecord = defineMessage({
  name: 'SnapshotFooterRecord',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    version: int16(),
  },
})

/** The value of the record that names the voters of the quorum. KIP-853. */
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

/** The value of the record that says the version of Raft. KIP-853. */
export const KRaftVersionRecord = defineMessage({
  name: 'KRaftVersionRecord',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    version: int16(),
    kRaftVersion: int16(),
  },
})
