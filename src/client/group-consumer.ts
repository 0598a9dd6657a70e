/** A member of a consumer group: the broker assigns, and all goes by heartbeats. KIP-848. */
import { newUuid } from '../base/uuid.ts'
import { ConsumerGroupHeartbeat } from '../protocol/apis/68-consumer-group-heartbeat.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { RequestInput, ResponseOf } from '../protocol/schema.ts'
import type { ClusterClient } from './cluster-client.ts'
import { difference } from './consumer-positions.ts'
import { asKafkaError, type KafkaError, kafkaError } from './errors.ts'
import type { GroupHost, GroupMember, MemberIdentity } from './group.ts'
import { MemberBase, type MemberSettings } from './group-member.ts'
import { onConsumerHeartbeatError } from './group-reactions.ts'
import { byTopic, type TopicPartition } from './topic-partition.ts'

const JOIN_EPOCH = 0
const LEAVE_EPOCH = -1
/** A static member that will come back. */
const LEAVE_STATIC_EPOCH = -2
/** Until the broker says how often. */
const FIRST_INTERVAL_MS = 5000
/** A member that has just joined asks sooner, twice as late each time, until it is given something:
 *  the broker computes assignments with some delay. Ours. */
const EAGER_INTERVAL_MS = 200

type Beat = RequestInput<typeof ConsumerGroupHeartbeat>
type BeatAnswer = ResponseOf<typeof ConsumerGroupHeartbeat>
type Target = NonNullable<BeatAnswer['assignment']>['topicPartitions']

/** Lives with one consumer. Between calls: at most one heartbeat is under way. */
export class ConsumerMember extends MemberBase implements GroupMember {
  readonly #memberId: string
  #epoch = JOIN_EPOCH
  /** Heartbeats go on. */
  #active = false
  #intervalMs = FIRST_INTERVAL_MS
  /** What the broker wants us to have. */
  #target: Target | undefined
  /** The subscription and the partitions that the broker has heard of; undefined: nothing. */
  #saidTopics: string | undefined
  #saidOwned: string | undefined
  #beating = false
  #again = false
  #failures = 0
  /** The next pause of a member that was given nothing yet; undefined: it was. */
  #eagerMs: number | undefined = EAGER_INTERVAL_MS

  constructor(cluster: ClusterClient, settings: MemberSettings, host: GroupHost) {
    super(cluster, settings, host)
    this.#memberId = newUuid(Math.random)
  }

  get due(): boolean {
    return !this.#active || this.failure !== undefined || this.lost || this.#target !== undefined
  }

  get identity(): MemberIdentity {
    const generation = this.#epoch > 0 ? this.#epoch : -1
    const { groupInstanceId } = this
    return { memberId: this.#memberId, generation, groupInstanceId }
  }

  async step(): Promise<void> {
    await this.stepFirst()
    if (!this.#active) {
      this.#active = true
      this.#beatNow()
    }
    const target = this.#target
    if (target === undefined) return
    const wanted = this.#named(target)
    if (wanted === undefined) {
      await this.cluster.refreshAllTopics().catch(() => this.#pause())
      if (this.#named(target) === undefined) await this.#pause()
      return
    }
    // A newer one may come meanwhile; then there is a next step.
    this.#target = undefined
    const epoch = this.#epoch
    const revoked = difference(this.host.assigned(), wanted)
    if (revoked.length > 0) {
      await this.host.beforeRevoke()
      await this.host.revoke(revoked)
    }
    if (!this.lost && epoch <= this.#epoch) {
      await this.host.assign(difference(wanted, this.host.assigned()))
    }
    this.#beatNow()
  }

  onSubscription(): void {
    if (this.#active && this.#subscriptionText() !== this.#saidTopics) this.#beatNow()
  }

  onPollLate(): void {
    if (!this.#active || this.#epoch <= 0) return
    this.warnOfLatePoll()
    void this.#send(this.#leaveBeat(LEAVE_EPOCH)).catch(() => {})
    this.#reset()
  }

  async leave(): Promise<void> {
    if (this.left) return
    this.left = true
    this.stopTimer()
    const isStatic = this.settings.groupInstanceId !== undefined
    const wasMember = this.#active && this.failure === undefined
    this.#active = false
    if (!wasMember) return
    try {
      await this.#send(this.#leaveBeat(isStatic ? LEAVE_STATIC_EPOCH : LEAVE_EPOCH))
    } catch (error) {
      this.cannotLeave(error)
    }
    this.#epoch = JOIN_EPOCH
  }

  /** Partitions by name; undefined while the name of a topic is not known. */
  #named(target: Target): TopicPartition[] | undefined {
    const named: TopicPartition[] = []
    for (const { topicId, partitions } of target) {
      const topic = this.cluster.metadata.topicById(topicId)?.name
      if (topic === undefined) return undefined
      for (const partition of partitions) named.push({ topic, partition })
    }
    return named
  }

  #beatNow(): void {
    this.stopTimer()
    if (!this.#active || this.left) return
    if (this.#beating) this.#again = true
    else void this.#beat()
  }

  #beatLater(ms: number): void {
    this.stopTimer()
    if (!this.#active || this.left) return
    this.later(ms, () => void this.#beat())
  }

  async #beat(): Promise<void> {
    this.#beating = true
    this.#again = false
    const beat = this.#nextBeat()
    let waitMs = this.#intervalMs
    try {
      const answer = await this.#send(beat)
      if (this.left || !this.#active) return
      this.#onAnswer(answer)
      waitMs = answer.errorCode === ErrorCode.NONE ? this.#nextIntervalMs() : this.#backoffMs()
    } catch (error) {
      if (this.cluster.closed || this.left) return
      // The broker may not have heard what this one said.
      this.#sayAll()
      const failure = asKafkaError(error)
      if (!failure.retriable) this.fail(failure)
      waitMs = this.#backoffMs()
    } finally {
      this.#beating = false
      if (this.#again) this.#beatNow()
      else this.#beatLater(waitMs)
    }
  }

  /** What has not been said yet. */
  #nextBeat(): Beat {
    const { groupId, maxPollIntervalMs, groupRemoteAssignor } = this.settings
    const joins = this.#epoch === JOIN_EPOCH
    const all = joins || this.#saidOwned === undefined
    const topics = this.#subscriptionText()
    const says = all || topics !== this.#saidTopics
    const { topicRegex } = this.host
    const partitions = joins ? [] : this.#ownedIds()
    const owned = JSON.stringify(partitions)
    const beat: Beat = {
      groupId,
      memberId: this.#memberId,
      memberEpoch: this.#epoch,
      instanceId: this.groupInstanceId,
      rackId: null,
      rebalanceTimeoutMs: all ? maxPollIntervalMs : -1,
      subscribedTopicNames: says && topicRegex === undefined ? [...this.host.topics()] : null,
      ...(says && topicRegex !== undefined ? { subscribedTopicRegex: topicRegex } : {}),
      serverAssignor: all ? (groupRemoteAssignor ?? null) : null,
      topicPartitions: all || owned !== this.#saidOwned ? partitions : null,
    }
    this.#saidTopics = topics
    this.#saidOwned = owned
    return beat
  }

  #onAnswer(answer: BeatAnswer): void {
    const { errorCode } = answer
    if (errorCode === ErrorCode.NONE) {
      this.#failures = 0
      this.#epoch = answer.memberEpoch
      if (answer.heartbeatIntervalMs > 0) this.#intervalMs = answer.heartbeatIntervalMs
      if (answer.assignment === null) return
      if (answer.assignment.topicPartitions.length > 0) this.#eagerMs = undefined
      this.#target = answer.assignment.topicPartitions
      this.host.wake()
      return
    }
    this.#sayAll()
    switch (onConsumerHeartbeatError(errorCode)) {
      case 'reset':
        this.#reset()
        break
      case 'coordinator':
        this.forgetCoordinator()
        break
      case 'fail':
        this.fail(kafkaError(errorCode, answer.errorMessage))
        break
      default:
    }
  }

  /** No member any more: others may have the partitions. It joins again in the next step. */
  #reset(): void {
    this.#epoch = JOIN_EPOCH
    this.#active = false
    this.#target = undefined
    this.lost = true
    this.#again = false
    this.#eagerMs = EAGER_INTERVAL_MS
    this.stopTimer()
    this.#sayAll()
    this.host.wake()
  }

  #sayAll(): void {
    this.#saidTopics = undefined
    this.#saidOwned = undefined
  }

  protected override fail(failure: KafkaError): void {
    this.#active = false
    super.fail(failure)
  }

  #ownedIds(): { topicId: string; partitions: number[] }[] {
    const owned: { topicId: string; partitions: number[] }[] = []
    for (const [name, list] of byTopic(this.host.assigned())) {
      const topicId = this.cluster.metadata.topic(name)?.topicId
      // A topic that is deleted has no partitions to own.
      if (topicId === undefined) continue
      owned.push({ topicId, partitions: list.map(({ partition }) => partition) })
    }
    return owned
  }

  #leaveBeat(memberEpoch: number): Beat {
    return {
      groupId: this.settings.groupId,
      memberId: this.#memberId,
      memberEpoch,
      instanceId: this.groupInstanceId,
      rackId: null,
      subscribedTopicNames: null,
      serverAssignor: null,
      topicPartitions: null,
    }
  }

  #send(beat: Beat): Promise<BeatAnswer> {
    return this.request(ConsumerGroupHeartbeat, beat)
  }

  #subscriptionText(): string {
    return this.host.topicRegex ?? this.host.topics().join()
  }

  #nextIntervalMs(): number {
    if (this.#eagerMs === undefined) return this.#intervalMs
    const ms = Math.min(this.#eagerMs, this.#intervalMs)
    this.#eagerMs = ms < this.#intervalMs ? ms * 2 : undefined
    return ms
  }

  #backoffMs(): number {
    return this.cluster.backoffMs(this.#failures++)
  }

  async #pause(): Promise<void> {
    await this.cluster.wait(this.cluster.backoffMs(0))
  }
}
