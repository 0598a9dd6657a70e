/** A consumer of the classic protocol as a client library plays it, with faults on demand. */

import { ZERO_UUID } from '../../src/base/uuid.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import type { ConsumerWorld } from '../coordinator/consumer-world.ts'
import type { Seeded } from '../support/seeded.ts'

/** What was promised to somebody, as the members saw it. */
export interface Rules {
  /** By generation and partition: who was given it. */
  readonly owners: Map<string, string>
  /** The last offset whose commit was acknowledged, by partition. */
  readonly acknowledged: Map<number, number>
  readonly broken: string[]
}

const SESSION_MS = 10_000
const REBALANCE_MS = 15_000
const HEARTBEAT_MS = 1000

type Phase = 'idle' | 'joining' | 'syncing' | 'member'

export class SimulatedMember {
  readonly name: string
  /** Partitions that it believes to own. */
  assigned: number[] = []
  readonly #world: ConsumerWorld
  readonly #rules: Rules
  readonly #random: Seeded
  readonly #partitions: number
  #phase: Phase = 'idle'
  #memberId = ''
  #generationId = -1
  #nextBeatMs = 0
  #silentUntilMs = 0
  /** Answers to requests of before a crash are not for us. */
  #life = 0

  constructor(
    name: string,
    world: ConsumerWorld,
    rules: Rules,
    random: Seeded,
    partitions: number,
  ) {
    this.name = name
    this.#world = world
    this.#rules = rules
    this.#random = random
    this.#partitions = partitions
  }

  /** Forgets all, and comes back as a new member after a while. */
  crash(): void {
    this.#life++
    this.#forget()
    this.#silentUntilMs = this.#world.nowMs + this.#random.next() * 20_000
  }

  /** Says nothing for a time, and goes on as if nothing had happened. */
  pause(ms: number): void {
    this.#silentUntilMs = this.#world.nowMs + ms
  }

  leave(): void {
    if (this.#phase !== 'member') return
    const members = [{ memberId: this.#memberId, groupInstanceId: null, reason: null }]
    this.#world.call('leave-group', { groupId: 'g', memberId: '', members }, { apiVersion: 5 })
    this.crash()
  }

  connectionLost(): void {
    if (this.#phase !== 'joining' && this.#phase !== 'syncing') return
    this.#life++
    this.#phase = 'idle'
  }

  wake(): void {
    this.#silentUntilMs = 0
  }

  act(): void {
    if (this.#world.nowMs < this.#silentUntilMs) return
    if (this.#phase === 'idle') this.#join()
    else if (this.#phase === 'member') this.#live()
  }

  #forget(): void {
    this.#phase = 'idle'
    this.#memberId = ''
    this.#generationId = -1
    this.assigned = []
  }

  #join(): void {
    this.#phase = 'joining'
    const life = this.#life
    const request = {
      groupId: 'g',
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: REBALANCE_MS,
      memberId: this.#memberId,
      groupInstanceId: null,
      protocolType: 'test',
      protocols: [{ name: 'p', metadata: Buffer.from(this.name) }],
      reason: null,
    }
    this.#world.send(
      'join-group',
      request,
      (answer) => {
        if (life !== this.#life) return
        this.#phase = 'idle'
        const errorCode = answer.errorCode ?? 0
        if (errorCode === ErrorCode.MEMBER_ID_REQUIRED) this.#memberId = answer.memberId ?? ''
        if (errorCode === ErrorCode.UNKNOWN_MEMBER_ID) this.#forget()
        if (errorCode !== ErrorCode.NONE) return
        this.assigned = []
        this.#memberId = answer.memberId ?? ''
        this.#generationId = answer.generationId ?? -1
        this.#sync((answer.members ?? []).map(({ memberId }) => memberId ?? ''))
      },
      { apiVersion: 9, clientId: this.name },
    )
  }

  /** `members`: of the leader alone. Partition p goes to one of them. */
  #sync(members: readonly string[]): void {
    this.#phase = 'syncing'
    const life = this.#life
    const assignments = members.map((memberId, i) => {
      const own = this.#all().filter((partition) => partition % members.length === i)
      return { memberId, assignment: Buffer.from(own.join(',')) }
    })
    const request = {
      groupId: 'g',
      generationId: this.#generationId,
      memberId: this.#memberId,
      groupInstanceId: null,
      protocolType: null,
      protocolName: null,
      assignments,
    }
    this.#world.send('sync-group', request, ({ errorCode = 0, assignment }) => {
      if (life !== this.#life) return
      this.#phase = 'idle'
      if (errorCode === ErrorCode.UNKNOWN_MEMBER_ID) this.#forget()
      if (errorCode !== ErrorCode.NONE) return
      this.#phase = 'member'
      const text = String(assignment)
      this.assigned = text === '' ? [] : text.split(',').map(Number)
      this.#claim()
    })
  }

  /** Rule: one owner for each partition and generation. */
  #claim(): void {
    for (const partition of this.assigned) {
      const key = `${this.#generationId}/${partition}`
      const owner = this.#rules.owners.get(key)
      if (owner !== undefined && owner !== this.#memberId) {
        this.#rules.broken.push(`partition ${partition} of ${key} has two owners`)
      }
      this.#rules.owners.set(key, this.#memberId)
    }
  }

  #live(): void {
    if (this.#world.nowMs >= this.#nextBeatMs) this.#beat()
    const partition = this.assigned[Math.floor(this.#random.next() * this.assigned.length)]
    if (this.#phase === 'member' && partition !== undefined) this.#commit(partition)
  }

  #beat(): void {
    this.#nextBeatMs = this.#world.nowMs + HEARTBEAT_MS
    const { errorCode } = this.#world.call('heartbeat', {
      groupId: 'g',
      generationId: this.#generationId,
      memberId: this.#memberId,
      groupInstanceId: null,
    })
    this.#heed(errorCode ?? 0)
  }

  #commit(partition: number): void {
    const committedOffset = Math.floor(this.#world.nowMs / 10)
    const one = { partitionIndex: partition, committedLeaderEpoch: -1, committedMetadata: null }
    const answer = this.#world.call(
      'offset-commit',
      {
        groupId: 'g',
        generationIdOrMemberEpoch: this.#generationId,
        memberId: this.#memberId,
        groupInstanceId: null,
        retentionTimeMs: -1,
        topics: [{ name: 't', topicId: ZERO_UUID, partitions: [{ ...one, committedOffset }] }],
      },
      { apiVersion: 8 },
    )
    const errorCode = answer.topics?.[0]?.partitions?.[0]?.errorCode ?? 0
    if (errorCode === ErrorCode.NONE) this.#rules.acknowledged.set(partition, committedOffset)
    else this.#heed(errorCode)
  }

  #heed(errorCode: number): void {
    switch (errorCode) {
      case ErrorCode.REBALANCE_IN_PROGRESS:
      case ErrorCode.ILLEGAL_GENERATION:
        this.#phase = 'idle'
        return
      case ErrorCode.UNKNOWN_MEMBER_ID:
        this.#forget()
        return
      default:
    }
  }

  #all(): number[] {
    return Array.from({ length: this.#partitions }, (_, i) => i)
  }
}
