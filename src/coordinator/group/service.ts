/**
 * The group coordinator as its shell sees it: commands with their answers, partitions that come and
 * go, and the clock. Pure: appends and loads are the shell's.
 */
import { assert } from '../../base/assert.ts'
import type { ImageChange } from '../../cluster/image.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import {
  type CoordinatorHost,
  CoordinatorRuntime,
  type Now,
  type Reply,
  type Turn,
} from '../runtime.ts'
import { ClassicGroup } from './classic.ts'
import { onClassicLoaded } from './classic-rebalance.ts'
import type {
  CommandOf,
  GroupAnswers,
  GroupCommand,
  GroupCommandKind,
  ShareOffsets,
} from './commands.ts'
import { describeConsumerGroup } from './consumer-describe.ts'
import { type MemberPlace, startTimers } from './consumer-fence.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { GroupCoordinator, type GroupParts } from './coordinator.ts'
import { LostMembers, removeLost } from './lost-members.ts'
import { forgetTopic, scheduleExpiry } from './offsets-expiry.ts'
import { fetchAnswer, fetchFailure, fetchOffsets, groupsAsked } from './offsets-fetch.ts'
import { type GroupOperation, groupOperations } from './operations.ts'
import { deleteGroup, describeFailure, describeGroup, listGroups } from './registry-views.ts'
import { groupReplays } from './replays.ts'
import { describeShareGroup } from './share-describe.ts'
import { startShareTimers } from './share-fence.ts'
import { ShareGroup } from './share-group.ts'
import { deleteShareGroup, describeShareOffsets, forgetShareTopics } from './share-offsets.ts'
import { describeStreamsGroup } from './streams-describe.ts'
import { startStreamsTimers } from './streams-fence.ts'
import { StreamsGroup } from './streams-group.ts'
import { endDelay } from './streams-target.ts'

/** What the service is made of. */
export interface GroupServiceParts extends GroupParts {
  readonly host: CoordinatorHost
  now(): Now
}

/** Lives on the coordinator's thread. */
export class GroupService {
  readonly coordinator: GroupCoordinator
  readonly runtime: CoordinatorRuntime
  /** Nobody, where commands name no connection. */
  readonly lost = new LostMembers((place) => this.#onLost(place))

  constructor(parts: GroupServiceParts) {
    this.coordinator = new GroupCoordinator(parts, groupReplays, onLoaded)
    this.runtime = new CoordinatorRuntime({
      machine: this.coordinator,
      host: parts.host,
      now: () => parts.now(),
    })
  }

  /** Answers once, now or later. */
  onCommand<C extends GroupCommand>(command: C, reply: Reply<GroupAnswers[C['kind']]>): void {
    const answer = reply as Reply<unknown>
    switch (command.kind) {
      case 'offset-fetch':
        this.#fetchOffsets(command, answer)
        return
      case 'describe-groups':
        this.#describeGroups(command, answer)
        return
      case 'consumer-group-describe':
        this.#describeConsumerGroups(command, answer)
        return
      case 'share-group-describe':
        this.#describeShareGroups(command, answer)
        return
      case 'streams-group-describe':
        this.#describeStreamsGroups(command, answer)
        return
      case 'describe-share-group-offsets':
        this.#describeShareOffsets(command, answer)
        return
      case 'list-groups':
        this.#listGroups(command, answer)
        return
      case 'delete-groups':
        this.#deleteGroups(command, answer)
        return
      default:
        this.#onGroup(command, answer)
    }
  }

  /** Offsets of a topic that is deleted go with it. */
  onImageChange(change: ImageChange): void {
    if (change.kind !== 'partition-deleted') return
    const { topic, index } = change.partition
    // All partitions of a topic go at once.
    if (index !== 0) return
    this.#onTopicDeleted(topic.name)
    this.#onShareTopicDeleted(topic.id)
  }

  #onShareTopicDeleted(topicId: string): void {
    for (const group of [...this.coordinator.groups.all()]) {
      if (!(group instanceof ShareGroup)) continue
      const { initializing, initialized } = group.topics
      if (!initializing.has(topicId) && !initialized.has(topicId)) continue
      const partition = this.coordinator.partitionOf(group.groupId)
      if (this.runtime.phase(partition) !== 'active') continue
      this.runtime.run(partition, (turn) => {
        forgetShareTopics(this.coordinator, turn, group, [topicId], () => undefined)
      })
    }
  }

  #onTopicDeleted(topic: string): void {
    const partitions = new Set<number>()
    for (const groupId of this.coordinator.offsets.groupIds()) {
      if (this.coordinator.offsets.ofGroup(groupId)?.has(topic)) {
        partitions.add(this.coordinator.partitionOf(groupId))
      }
    }
    for (const partition of partitions) {
      if (this.runtime.phase(partition) !== 'active') continue
      this.runtime.run(partition, (turn) => forgetTopic(this.coordinator, turn, topic))
    }
  }

  #problemOf(groupId: string): ErrorCode {
    return this.#problemOfPartition(this.coordinator.partitionOf(groupId))
  }

  #problemOfPartition(partition: number): ErrorCode {
    if (this.coordinator.partitionCount === 0) return ErrorCode.COORDINATOR_NOT_AVAILABLE
    return this.runtime.problemOf(partition)
  }

  #onGroup<K extends GroupCommandKind>(command: CommandOf<K>, reply: Reply<GroupAnswers[K]>): void {
    const { kind } = command
    const table: { [K in GroupCommandKind]?: GroupOperation<K> } = groupOperations
    const operation = table[kind] as GroupOperation<K> | undefined
    assert(operation, 'a command that handlers send has an operation')
    const partition = this.coordinator.partitionOf(operation.groupId(command))
    const problem = this.#problemOfPartition(partition)
    if (problem !== ErrorCode.NONE) {
      reply(operation.failed(problem, command))
      return
    }
    const followed = this.lost.follow(command as unknown as GroupCommand, reply)
    this.runtime.run(
      partition,
      (turn) => operation.run(this.coordinator, turn, command, followed),
      operation.producer?.(command),
    )
  }

  #onLost(place: MemberPlace): void {
    if (this.#problemOf(place.groupId) !== ErrorCode.NONE) return
    this.runtime.run(this.coordinator.partitionOf(place.groupId), (turn) => {
      removeLost(this.coordinator, turn, place)
    })
  }

  #fetchOffsets(
    command: CommandOf<'offset-fetch'>,
    reply: Reply<GroupAnswers['offset-fetch']>,
  ): void {
    const { apiVersion, request } = command
    const options = { apiVersion, requireStable: request.requireStable }
    const groups = groupsAsked(request, apiVersion).map((asked) => {
      const problem = this.#problemOf(asked.groupId)
      if (problem !== ErrorCode.NONE) return fetchFailure(problem, asked, apiVersion)
      return fetchOffsets(this.coordinator, asked, options)
    })
    reply(fetchAnswer(apiVersion, groups))
  }

  #describeGroups(
    { apiVersion, request }: CommandOf<'describe-groups'>,
    reply: Reply<GroupAnswers['describe-groups']>,
  ): void {
    const groups = request.groups.map((groupId) => {
      const problem = this.#problemOf(groupId)
      if (problem !== ErrorCode.NONE) return describeFailure(groupId, problem)
      return describeGroup(this.coordinator, groupId, apiVersion)
    })
    reply({ groups })
  }

  #describeConsumerGroups(
    { request }: CommandOf<'consumer-group-describe'>,
    reply: Reply<GroupAnswers['consumer-group-describe']>,
  ): void {
    const groups = request.groupIds.map((groupId) => {
      const problem = this.#problemOf(groupId)
      if (problem !== ErrorCode.NONE) return { groupId, errorCode: problem }
      return describeConsumerGroup(this.coordinator, groupId)
    })
    reply({ groups })
  }

  #describeShareGroups(
    { request }: CommandOf<'share-group-describe'>,
    reply: Reply<GroupAnswers['share-group-describe']>,
  ): void {
    const groups = request.groupIds.map((groupId) => {
      const problem = this.#problemOf(groupId)
      if (problem !== ErrorCode.NONE) return { groupId, errorCode: problem }
      return describeShareGroup(this.coordinator, groupId)
    })
    reply({ groups })
  }

  #describeStreamsGroups(
    { request }: CommandOf<'streams-group-describe'>,
    reply: Reply<GroupAnswers['streams-group-describe']>,
  ): void {
    const groups = request.groupIds.map((groupId) => {
      const problem = this.#problemOf(groupId)
      if (problem !== ErrorCode.NONE) return { groupId, errorCode: problem }
      return describeStreamsGroup(this.coordinator, groupId)
    })
    reply({ groups })
  }

  #describeShareOffsets(
    { request }: CommandOf<'describe-share-group-offsets'>,
    reply: Reply<GroupAnswers['describe-share-group-offsets']>,
  ): void {
    const described: GroupAnswers['describe-share-group-offsets'] = []
    let open = request.groups.length
    if (open === 0) reply(described)
    for (const [at, asked] of request.groups.entries()) {
      const onOne = (one: ShareOffsets) => {
        described[at] = one
        open--
        if (open === 0) reply(described)
      }
      const { groupId } = asked
      const errorCode = this.#problemOf(groupId)
      if (errorCode !== ErrorCode.NONE) onOne({ groupId, errorCode, topics: [] })
      else describeShareOffsets(this.coordinator, asked, onOne)
    }
  }

  #listGroups(command: CommandOf<'list-groups'>, reply: Reply<GroupAnswers['list-groups']>): void {
    const { partitionCount } = this.coordinator
    for (let partition = 0; partition < partitionCount; partition++) {
      if (this.runtime.phase(partition) !== 'loading') continue
      reply({ errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, groups: [] })
      return
    }
    reply({ groups: listGroups(this.coordinator, command) })
  }

  /** Each group in a turn of its own; the answer leaves with the last of them. */
  #deleteGroups(
    { request }: CommandOf<'delete-groups'>,
    reply: Reply<GroupAnswers['delete-groups']>,
  ): void {
    const names = [...new Set(request.groupsNames)]
    const results = names.map((groupId) => ({ groupId, errorCode: ErrorCode.NONE as ErrorCode }))
    let open = results.length + 1
    const onOne = () => {
      open--
      if (open === 0) reply({ results })
    }
    for (const result of results) {
      const { groupId } = result
      result.errorCode = this.#problemOf(groupId)
      if (result.errorCode !== ErrorCode.NONE) {
        onOne()
        continue
      }
      this.runtime.run(this.coordinator.partitionOf(groupId), (turn) => {
        const group = this.coordinator.groups.get(groupId)
        if (group instanceof ShareGroup) {
          deleteShareGroup(this.coordinator, turn, group, (errorCode) => {
            result.errorCode = errorCode
            onOne()
          })
          return
        }
        const outcome = deleteGroup(this.coordinator, turn, groupId)
        if (group instanceof StreamsGroup && outcome === ErrorCode.NONE) endDelay(turn, groupId)
        turn.onEnd((errorCode) => {
          result.errorCode = outcome === ErrorCode.NONE ? errorCode : outcome
          onOne()
        })
      })
    }
    onOne()
  }
}

function onLoaded(coordinator: GroupCoordinator, turn: Turn): void {
  for (const group of coordinator.groups.all()) {
    if (coordinator.partitionOf(group.groupId) !== turn.partition) continue
    if (group instanceof ClassicGroup) onClassicLoaded(coordinator, turn, group)
    else if (group instanceof ConsumerGroup) startTimers(coordinator, turn, group)
    else if (group instanceof ShareGroup) startShareTimers(coordinator, turn, group)
    else if (group instanceof StreamsGroup) startStreamsTimers(coordinator, turn, group)
  }
  scheduleExpiry(coordinator, turn)
}
