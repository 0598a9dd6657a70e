/** A member of a classic group: joins, takes or hands out assignments, and says that it lives.
 *  KIP-62, KIP-345, KIP-394, KIP-429. */
import { JoinGroup } from '../protocol/apis/11-join-group.ts'
import { Heartbeat } from '../protocol/apis/12-heartbeat.ts'
import { LeaveGroup } from '../protocol/apis/13-leave-group.ts'
import { SyncGroup } from '../protocol/apis/14-sync-group.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { ResponseOf } from '../protocol/schema.ts'
import type { Assignor } from './assignors.ts'
import type { ClusterClient } from './cluster-client.ts'
import { difference } from './consumer-positions.ts'
import { asKafkaError, kafkaError } from './errors.ts'
import type { GroupHost, GroupMember, MemberIdentity } from './group.ts'
import { MemberBase, type MemberSettings } from './group-member.ts'
import {
  decodeAssignment,
  decodeMember,
  encodeAssignments,
  encodeSubscription,
} from './group-protocol.ts'
import { onJoinError, onMemberError, type Reaction } from './group-reactions.ts'
import type { TopicPartition } from './topic-partition.ts'

const PROTOCOL_TYPE = 'consumer'
/** JoinGroup waits for the slowest member; the answer may take a little longer than that. */
const JOIN_GRACE_MS = 5000

type JoinAnswer = ResponseOf<typeof JoinGroup>

/** What a join ended with. */
interface Joined {
  readonly assignor: Assignor
  readonly partitions: readonly TopicPartition[]
}

/** Lives with one consumer. Between calls: at most one join and one heartbeat are under way. */
export class ClassicMember extends MemberBase implements GroupMember {
  /** Only an assignor that all of ours are like may be cooperative. */
  readonly #cooperative: boolean
  readonly #joinTimeoutMs: number
  #memberId = ''
  #generation = -1
  #rejoin = true
  #joining = false
  #joined: Joined | undefined
  /** The topics of the last join. */
  #joinedTopics = ''
  /** What the assignment was computed from; undefined: somebody else leads. */
  #ledTopics: { readonly topics: readonly string[]; readonly counts: string } | undefined
  #metadataVersion = -1
  #beating = false
  /** For the eager sticky assignor: what was there before the last revocation. */
  #before: { owned: readonly TopicPartition[]; generation: number } = { owned: [], generation: -1 }

  constructor(cluster: ClusterClient, settings: MemberSettings, host: GroupHost) {
    super(cluster, settings, host)
    const { requestTimeoutMs } = cluster.settings
    this.#joinTimeoutMs = Math.max(requestTimeoutMs, settings.maxPollIntervalMs + JOIN_GRACE_MS)
    this.#cooperative = settings.assignors.every(({ protocol }) => protocol === 'cooperative')
  }

  get due(): boolean {
    if (this.failure !== undefined || this.lost || this.#joined !== undefined) return true
    if (this.#rejoin && !this.#joining) return true
    return this.#metadataVersion !== this.cluster.metadata.version
  }

  get identity(): MemberIdentity {
    const { groupInstanceId } = this
    return { memberId: this.#memberId, generation: this.#generation, groupInstanceId }
  }

  async step(): Promise<void> {
    await this.stepFirst()
    this.#lookAtMetadata()
    const joined = this.#joined
    if (joined !== undefined) {
      this.#joined = undefined
      await this.#apply(joined)
    }
    if (this.#rejoin && !this.#joining) {
      await this.#prepare()
      this.#rejoin = false
      this.#joining = true
      void this.#join()
    }
  }

  onSubscription(): void {
    if (this.host.topics().join() !== this.#joinedTopics) this.#rejoin = true
  }

  onPollLate(): void {
    if (this.#generation < 0) return
    this.warnOfLatePoll()
    void this.#sendLeave('consumer poll timeout has expired.')
    this.#reset()
  }

  async leave(): Promise<void> {
    if (this.left) return
    this.left = true
    this.stopTimer()
    const isStatic = this.settings.groupInstanceId !== undefined
    if (this.#memberId !== '' && !isStatic && this.failure === undefined) {
      await this.#sendLeave('the consumer is being closed')
    }
    this.#generation = -1
  }

  async #sendLeave(reason: string): Promise<void> {
    const { groupId } = this.settings
    const { memberId, groupInstanceId } = this.identity
    try {
      await this.request(
        LeaveGroup,
        (version) =>
          version < 3
            ? { groupId, memberId }
            : {
                groupId,
                members: [{ memberId, groupInstanceId, ...(version >= 5 ? { reason } : {}) }],
              },
        { lane: 'main' },
      )
    } catch (error) {
      this.cannotLeave(error)
    }
  }

  /** Before a join: an eager member gives all up, a cooperative one what it no longer wants. */
  async #prepare(): Promise<void> {
    const owned = this.host.assigned()
    await this.host.beforeRevoke()
    if (!this.#cooperative) {
      if (owned.length > 0) this.#before = { owned, generation: this.#generation }
      await this.host.revoke(owned)
      return
    }
    const topics = new Set(this.host.topics())
    await this.host.revoke(owned.filter(({ topic }) => !topics.has(topic)))
  }

  async #apply({ assignor, partitions }: Joined): Promise<void> {
    const owned = this.host.assigned()
    const added = difference(partitions, owned)
    if (assignor.protocol === 'cooperative' && this.#cooperative) {
      const revoked = difference(owned, partitions)
      if (revoked.length > 0) {
        await this.host.beforeRevoke()
        await this.host.revoke(revoked)
        // Others get them by a rebalance of their own.
        this.#rejoin = true
      }
    }
    await this.host.assign(added)
  }

  #lookAtMetadata(): void {
    const { metadata } = this.cluster
    if (this.#metadataVersion === metadata.version) return
    this.#metadataVersion = metadata.version
    const led = this.#ledTopics
    if (led !== undefined && this.#countsText(led.topics) !== led.counts) this.#rejoin = true
  }

  /** Joins until it holds or cannot be. */
  async #join(): Promise<void> {
    this.stopTimer()
    for (let tries = 0; !this.left && !this.cluster.closed; ) {
      let reaction: Reaction
      try {
        const done = await this.#joinOnce()
        if (typeof done !== 'string') {
          this.#joined = done
          break
        }
        reaction = done
      } catch (error) {
        if (this.cluster.closed) return
        const failure = asKafkaError(error)
        if (!failure.retriable) {
          this.fail(failure)
          break
        }
        reaction = 'backoff'
      }
      if (reaction === 'fail') break
      if (reaction === 'reset') {
        this.#forget()
        // A cooperative member still has partitions, but others may have them by now.
        this.lost = this.host.assigned().length > 0
      }
      if (reaction === 'coordinator') this.forgetCoordinator()
      if (reaction === 'retry' || reaction === 'rejoin' || reaction === 'reset') continue
      // Rejects when the client is closed, which is looked at above.
      await this.cluster.wait(this.cluster.backoffMs(tries++)).catch(() => {})
    }
    this.#joining = false
    if (this.left || this.cluster.closed) return
    this.#beatLater()
    this.host.wake()
  }

  async #joinOnce(): Promise<Joined | Reaction> {
    const { groupId, sessionTimeoutMs, maxPollIntervalMs, assignors } = this.settings
    const { memberId, groupInstanceId } = this.identity
    const subscription = {
      topics: this.host.topics(),
      owned: this.lost ? [] : this.host.assigned(),
      generation: this.#generation,
    }
    this.#joinedTopics = subscription.topics.join()
    const protocols = assignors.map(({ name }) => ({
      name,
      metadata: encodeSubscription(name, subscription, this.#before),
    }))
    const answer = await this.request(
      JoinGroup,
      (version) => ({
        groupId,
        sessionTimeoutMs,
        memberId,
        protocolType: PROTOCOL_TYPE,
        protocols,
        ...(version >= 1 ? { rebalanceTimeoutMs: maxPollIntervalMs } : {}),
        ...(version >= 5 ? { groupInstanceId } : {}),
      }),
      { timeoutMs: this.#joinTimeoutMs },
    )
    if (answer.errorCode === ErrorCode.MEMBER_ID_REQUIRED) {
      this.#memberId = answer.memberId
      return 'retry'
    }
    if (answer.errorCode !== ErrorCode.NONE) {
      return this.#react(onJoinError(answer.errorCode), answer.errorCode)
    }
    this.#memberId = answer.memberId
    this.#generation = answer.generationId
    return this.#sync(answer)
  }

  async #sync(joined: JoinAnswer): Promise<Joined | Reaction> {
    const assignor = this.settings.assignors.find(({ name }) => name === joined.protocolName)
    if (assignor === undefined) {
      return this.#react('fail', ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    }
    const leads = joined.leader === joined.memberId && !joined.skipAssignment
    this.#ledTopics = undefined
    const assignments = leads ? await this.#assignAll(assignor, joined) : []
    const { groupId } = this.settings
    const { memberId, generation, groupInstanceId } = this.identity
    const answer = await this.request(
      SyncGroup,
      (version) => ({
        groupId,
        generationId: generation,
        memberId,
        assignments,
        ...(version >= 3 ? { groupInstanceId } : {}),
        ...(version >= 5 ? { protocolType: PROTOCOL_TYPE, protocolName: assignor.name } : {}),
      }),
      { timeoutMs: this.#joinTimeoutMs },
    )
    if (answer.errorCode !== ErrorCode.NONE) {
      return this.#react(onMemberError(answer.errorCode), answer.errorCode)
    }
    return { assignor, partitions: decodeAssignment(answer.assignment) }
  }

  /** As the leader. */
  async #assignAll(assignor: Assignor, joined: JoinAnswer) {
    const members = joined.members.map(({ memberId, groupInstanceId, metadata }) =>
      decodeMember(assignor.name, memberId, groupInstanceId, metadata),
    )
    const topics = [...new Set(members.flatMap((member) => member.topics))].sort()
    await this.cluster.refreshMetadata(topics)
    const counts = new Map<string, number>()
    for (const name of topics) {
      const topic = this.cluster.metadata.topic(name)
      if (topic !== undefined) counts.set(name, topic.partitions.length)
    }
    this.#ledTopics = { topics, counts: this.#countsText(topics) }
    return encodeAssignments(assignor.assign(members, counts))
  }

  #countsText(topics: readonly string[]): string {
    const { metadata } = this.cluster
    return topics.map((name) => `${name}:${metadata.topic(name)?.partitions.length ?? 0}`).join()
  }

  #react(reaction: Reaction, code: number): Reaction {
    if (reaction === 'fail') this.fail(kafkaError(code))
    return reaction
  }

  #beatLater(): void {
    this.stopTimer()
    if (this.left || this.#generation < 0 || this.failure !== undefined) return
    this.later(this.settings.heartbeatIntervalMs, () => void this.#beat())
  }

  async #beat(): Promise<void> {
    if (this.#beating || this.#joining || this.left || this.#generation < 0) return
    const { groupId } = this.settings
    const { memberId, generation, groupInstanceId } = this.identity
    this.#beating = true
    try {
      const answer = await this.request(Heartbeat, (version) => ({
        groupId,
        generationId: generation,
        memberId,
        ...(version >= 3 ? { groupInstanceId } : {}),
      }))
      // What an answer says of an older generation is of no interest any more.
      if (generation === this.#generation && !this.#joining) this.#onBeat(answer.errorCode)
    } catch (error) {
      if (this.cluster.closed) return
      this.cluster.settings.log.debug('a heartbeat got no answer', { error })
    } finally {
      this.#beating = false
      this.#beatLater()
    }
  }

  #onBeat(code: number): void {
    if (code === ErrorCode.NONE) return
    const reaction = this.#react(onMemberError(code), code)
    if (reaction === 'reset') this.#reset()
    if (reaction === 'coordinator') this.forgetCoordinator()
    if (reaction === 'rejoin') {
      this.#rejoin = true
      this.host.wake()
    }
  }

  /** No member any more: others may have the partitions. */
  #reset(): void {
    this.#forget()
    this.lost = true
    this.#rejoin = true
    this.host.wake()
  }

  #forget(): void {
    this.#memberId = ''
    this.#generation = -1
  }
}
