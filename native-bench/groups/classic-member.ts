/** A member of a classic group that does what it is told, on a connection that it may share. */

import { setTimeout as sleep } from 'node:timers/promises'
import { encodeSubscription } from '../../src/client/group-protocol.ts'
import { JoinGroup } from '../../src/protocol/apis/11-join-group.ts'
import { Heartbeat } from '../../src/protocol/apis/12-heartbeat.ts'
import { LeaveGroup } from '../../src/protocol/apis/13-leave-group.ts'
import { SyncGroup } from '../../src/protocol/apis/14-sync-group.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import type { ResponseOf } from '../../src/protocol/schema.ts'
import { expectNone, isLoading, type Wire } from '../brokers/wire.ts'

const SESSION_MS = 300_000
const NOT_THERE_MS = 100
const PROTOCOL_TYPE = 'consumer'
const PROTOCOL = 'range'
const NOTHING_BEFORE = { owned: [], generation: -1 }

export class BenchMember {
  readonly wire: Wire
  readonly groupId: string
  memberId = ''
  generationId = -1
  readonly #metadata: Buffer

  constructor(wire: Wire, groupId: string, topic: string) {
    this.wire = wire
    this.groupId = groupId
    const subscription = { topics: [topic], owned: [], generation: -1 }
    this.#metadata = encodeSubscription(PROTOCOL, subscription, NOTHING_BEFORE)
  }

  async join(): Promise<ResponseOf<typeof JoinGroup>> {
    for (;;) {
      const answer = await this.wire.ask(JoinGroup, 9, {
        groupId: this.groupId,
        sessionTimeoutMs: SESSION_MS,
        rebalanceTimeoutMs: SESSION_MS,
        memberId: this.memberId,
        groupInstanceId: null,
        protocolType: PROTOCOL_TYPE,
        protocols: [{ name: PROTOCOL, metadata: this.#metadata }],
        reason: null,
      })
      this.memberId = answer.memberId
      if (answer.errorCode === ErrorCode.MEMBER_ID_REQUIRED) continue
      if (answer.errorCode === ErrorCode.REBALANCE_IN_PROGRESS) continue
      if (isLoading(answer.errorCode)) {
        await sleep(NOT_THERE_MS)
        continue
      }
      expectNone(answer.errorCode, `JoinGroup ${this.groupId}`)
      this.generationId = answer.generationId
      return answer
    }
  }

  /** Whether it is a member by now; false: the group has gone on. `assignments`: of the leader. */
  async sync(
    assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[] = [],
  ): Promise<boolean> {
    const { groupId, memberId, generationId } = this
    const answer = await this.wire.ask(SyncGroup, 5, {
      groupId,
      generationId,
      memberId,
      groupInstanceId: null,
      protocolType: PROTOCOL_TYPE,
      protocolName: PROTOCOL,
      assignments: [...assignments],
    })
    if (answer.errorCode === ErrorCode.REBALANCE_IN_PROGRESS) return false
    if (answer.errorCode === ErrorCode.ILLEGAL_GENERATION) return false
    expectNone(answer.errorCode, `SyncGroup ${groupId}`)
    return true
  }

  /** Whether the group is as it was; false: it waits for this member to join. */
  async beat(): Promise<boolean> {
    const { groupId, memberId, generationId } = this
    const request = { groupId, generationId, memberId, groupInstanceId: null }
    const { errorCode } = await this.wire.ask(Heartbeat, 4, request)
    if (errorCode === ErrorCode.REBALANCE_IN_PROGRESS) return false
    expectNone(errorCode, `Heartbeat ${groupId}`)
    return true
  }

  async leave(): Promise<void> {
    const members = [{ memberId: this.memberId, groupInstanceId: null, reason: null }]
    const answer = await this.wire.ask(LeaveGroup, 5, { groupId: this.groupId, members })
    expectNone(answer.errorCode, `LeaveGroup ${this.groupId}`)
  }
}
