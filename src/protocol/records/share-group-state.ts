// The records of __share_group_state, by the type with which their keys begin.

import { type RecordSchema, recordsByType } from './record.ts'
import { ShareSnapshot } from './share-snapshot.ts'
import { ShareUpdate } from './share-update.ts'

/** Every record of __share_group_state by type. */
export const shareGroupStateRecords: ReadonlyMap<number, RecordSchema> = recordsByType([
  ShareSnapshot,
  ShareUpdate,
])
