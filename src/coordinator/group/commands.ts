/**
 * What the group coordinator is asked and what it answers: the requests of the group APIs, as plain
 * values that cross threads, with what is known of the client. Bytes within are views of somebody
 * else's memory: what is kept beyond the call is copied.
 */

import type { OffsetCommit } from '../../protocol/apis/08-offset-commit.ts'
import type { OffsetFetch } from '../../protocol/apis/09-offset-fetch.ts'
import type { JoinGroup } from '../../protocol/apis/11-join-group.ts'
import type { Heartbeat } from '../../protocol/apis/12-heartbeat.ts'
import type { LeaveGroup } from '../../protocol/apis/13-leave-group.ts'
import type { SyncGroup } from '../../protocol/apis/14-sync-group.ts'
import type { DescribeGroups } from '../../protocol/apis/15-describe-groups.ts'
import type { ListGroups } from '../../protocol/apis/16-list-groups.ts'
import type { TxnOffsetCommit } from '../../protocol/apis/28-txn-offset-commit.ts'
import type { DeleteGroups } from '../../protocol/apis/42-delete-groups.ts'
import type { OffsetDelete } from '../../protocol/apis/47-offset-delete.ts'
import type { ConsumerGroupHeartbeat } from '../../protocol/apis/68-consumer-group-heartbeat.ts'
import type { ConsumerGroupDescribe } from '../../protocol/apis/69-consumer-group-describe.ts'
import type { ShareGroupHeartbeat } from '../../protocol/apis/76-share-group-heartbeat.ts'
import type { ShareGroupDescribe } from '../../protocol/apis/77-share-group-describe.ts'
import type { StreamsGroupHeartbeat } from '../../protocol/apis/88-streams-group-heartbeat.ts'
import type { StreamsGroupDescribe } from '../../protocol/apis/89-streams-group-describe.ts'
import type { DescribeShareGroupOffsets } from '../../protocol/apis/90-describe-share-group-offsets.ts'
import type { AlterShareGroupOffsets } from '../../protocol/apis/91-alter-share-group-offsets.ts'
import type { DeleteShareGroupOffsets } from '../../protocol/apis/92-delete-share-group-offsets.ts'
import type { ErrorCode } from '../../protocol/errors.ts'
import type { Api, RequestOf, ResponseInput } from '../../protocol/schema.ts'
import type { ShareProgress } from './share-states.ts'

interface GroupApi<A extends Api> {
  request: RequestOf<A>
  response: ResponseInput<A>
}

/** Where one share group is; how far that is from the end of the log is not known here. */
export interface ShareOffsets {
  groupId: string
  errorCode?: ErrorCode
  topics: {
    topicName: string
    topicId: string
    partitions: ({ partition: number } & ShareProgress)[]
  }[]
}

/** The APIs of the group coordinator by the kind of their command. */
export interface GroupApis {
  'offset-commit': GroupApi<typeof OffsetCommit>
  'offset-fetch': GroupApi<typeof OffsetFetch>
  'txn-offset-commit': GroupApi<typeof TxnOffsetCommit>
  'join-group': GroupApi<typeof JoinGroup>
  heartbeat: GroupApi<typeof Heartbeat>
  'leave-group': GroupApi<typeof LeaveGroup>
  'sync-group': GroupApi<typeof SyncGroup>
  'describe-groups': GroupApi<typeof DescribeGroups>
  'list-groups': GroupApi<typeof ListGroups>
  'delete-groups': GroupApi<typeof DeleteGroups>
  'offset-delete': GroupApi<typeof OffsetDelete>
  'consumer-group-heartbeat': GroupApi<typeof ConsumerGroupHeartbeat>
  'consumer-group-describe': GroupApi<typeof ConsumerGroupDescribe>
  'share-group-heartbeat': GroupApi<typeof ShareGroupHeartbeat>
  'share-group-describe': GroupApi<typeof ShareGroupDescribe>
  'streams-group-heartbeat': GroupApi<typeof StreamsGroupHeartbeat>
  'streams-group-describe': GroupApi<typeof StreamsGroupDescribe>
  'describe-share-group-offsets': {
    request: RequestOf<typeof DescribeShareGroupOffsets>
    response: ShareOffsets[]
  }
  'alter-share-group-offsets': GroupApi<typeof AlterShareGroupOffsets>
  'delete-share-group-offsets': GroupApi<typeof DeleteShareGroupOffsets>
}

export type GroupCommandKind = keyof GroupApis

/** One request to the group coordinator. */
export interface CommandOf<K extends GroupCommandKind> {
  kind: K
  apiVersion: number
  clientId: string
  /** With a leading slash, as Kafka prints it: `/127.0.0.1`. */
  clientHost: string
  /** The connection that it came over, where its end is told of: the profile dev. */
  connection?: string | undefined
  request: GroupApis[K]['request']
}

/** Any request to the group coordinator. */
export type GroupCommand = { [K in GroupCommandKind]: CommandOf<K> }[GroupCommandKind]

/** The answer to a command, by its kind. */
export type GroupAnswers = { [K in GroupCommandKind]: GroupApis[K]['response'] }
