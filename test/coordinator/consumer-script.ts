/**
 * The language of test/scenarios/group/consumer-*.txt. One command a line; what it answers and what
 * it logs is the transcript.
 *
 *   grow NAME PARTITIONS
 *   config KEY=VALUE                       of the group g
 *   hb MEMBER [epoch=N] [names=a,b] [regex=R] [owned=a:0,1;b:2] [instance=I] [timeout=MS]
 *     [assignor=A] [version=N]             epoch 0 (the default) joins, with all that a join needs
 *   join MEMBER [new=1] [names=a] [owned=a:0] [instance=I] [session=MS] [timeout=MS] [version=N]
 *                                          new: without an id; the one that comes back is MEMBER's
 *   sync MEMBER generation=N [instance=I] [assign=MEMBER=a:0,1/MEMBER=a:2]
 *   beat MEMBER generation=N [instance=I] · leave MEMBER [instance=I]
 *   commit MEMBER epoch=N PARTITION [version=N] · fetch MEMBER epoch=N
 *   describe · list
 * and the commands of group-script.ts. hb takes [over=CONNECTION], such as 0:1
 */
import type { ConsumerGroup } from '../../src/coordinator/group/consumer-group.ts'
import { listOfTarget } from '../../src/coordinator/group/consumer-partitions.ts'
import {
  decodeAssignment,
  encodeAssignment,
} from '../../src/coordinator/group/consumer-protocol.ts'
import { encodeMessage } from '../../src/protocol/compile.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { ConsumerProtocolSubscription } from '../../src/protocol/records/consumer-protocol-subscription.ts'
import { Writer } from '../../src/protocol/writer.ts'
import { type Command, GroupScript } from './group-script.ts'

const GROUP = 'g'

/** Runs the commands of one scenario. */
export class ConsumerScript extends GroupScript {
  protected request(command: Command, member: string): void {
    const { world } = this
    switch (command.name) {
      case 'grow':
        world.growTopic(member, Number(command.words[1]))
        return
      case 'config':
        world.setGroupConfig(GROUP, Object.fromEntries(command.given))
        return
      default:
        this.#ofMember(command, member)
    }
  }

  #ofMember(command: Command, member: string): void {
    switch (command.name) {
      case 'hb':
        this.#heartbeat(command, member)
        return
      case 'join':
        this.#join(command, member)
        return
      case 'sync':
        this.#sync(command, member)
        return
      case 'beat':
        this.#beat(command, member)
        return
      case 'leave':
        this.#leave(command, member)
        return
      case 'commit':
        this.#commit(command, member)
        return
      case 'fetch':
        this.#fetch(command, member)
        return
      case 'describe':
        this.#describe()
        return
      case 'list':
        this.#list()
        return
      default:
        throw new Error(`no command ${command.name}`)
    }
  }

  #heartbeat({ given }: Command, memberId: string): void {
    const memberEpoch = Number(given.get('epoch') ?? 0)
    const joins = memberEpoch === 0
    const names = given.get('names')?.split(',').filter(Boolean)
    const owned = given.get('owned')
    const answer = this.world.call(
      'consumer-group-heartbeat',
      {
        groupId: GROUP,
        memberId: this.#idOf(memberId),
        memberEpoch,
        instanceId: given.get('instance') ?? null,
        rackId: null,
        rebalanceTimeoutMs: Number(given.get('timeout') ?? (joins ? 60_000 : -1)),
        subscribedTopicNames: names ?? null,
        subscribedTopicRegex: given.get('regex') ?? null,
        serverAssignor: given.get('assignor') ?? null,
        topicPartitions: owned === undefined ? (joins ? [] : null) : this.#owned(owned),
      },
      { apiVersion: Number(given.get('version') ?? 1), connection: given.get('over') },
    )
    if (answer.errorCode) {
      this.say(`${memberId}: ${errorName(answer.errorCode)} ${answer.errorMessage ?? ''}`.trim())
      return
    }
    const assignment =
      answer.assignment && this.#partitions(answer.assignment.topicPartitions ?? [])
    this.say(`${memberId}: epoch ${answer.memberEpoch}${assignment ? `, ${assignment}` : ''}`)
  }

  #owned(text: string) {
    return [...topicsOf(text)].map(([topic, partitions]) => {
      return { topicId: this.world.image.topic(topic)!.id, partitions }
    })
  }

  #partitions(list: readonly { topicId?: string; partitions?: readonly number[] }[]): string {
    const topics = list.map(({ topicId = '', partitions = [] }) => {
      return `${this.topicName(topicId)}:${partitions.join(',')}`
    })
    return topics.sort().join(' ') || 'nothing'
  }

  #join({ given }: Command, memberId: string): void {
    const names = (given.get('names') ?? 't').split(',').filter(Boolean)
    const ownedPartitions = [...topicsOf(given.get('owned') ?? '')].map(([topic, partitions]) => {
      return { topic, partitions }
    })
    const metadata = subscription({ topics: names, ownedPartitions })
    this.world.send(
      'join-group',
      {
        groupId: GROUP,
        sessionTimeoutMs: Number(given.get('session') ?? 30_000),
        rebalanceTimeoutMs: Number(given.get('timeout') ?? 60_000),
        memberId: given.has('new') ? '' : this.#idOf(memberId),
        groupInstanceId: given.get('instance') ?? null,
        protocolType: 'consumer',
        protocols: [{ name: given.get('protocol') ?? 'range', metadata }],
        reason: null,
      },
      ({ errorCode = 0, generationId, members, leader, memberId: id = '' }) => {
        if (id !== '' && id !== memberId) this.ids.set(memberId, id)
        if (errorCode !== 0) {
          this.say(`${memberId}: ${errorName(errorCode)}`)
          return
        }
        const leads = leader === id && leader !== '' ? `, leads ${members?.length}` : ''
        this.say(`${memberId}: generation ${generationId}${leads}`)
      },
      { apiVersion: Number(given.get('version') ?? 9) },
    )
  }

  #idOf(name: string): string {
    return name === '-' ? '' : (this.ids.get(name) ?? name)
  }

  #sync({ given }: Command, memberId: string): void {
    const assignments = (given.get('assign') ?? '')
      .split('/')
      .filter(Boolean)
      .map((text) => {
        const at = text.indexOf('=')
        const list = this.#owned(text.slice(at + 1))
        const assignment = encodeAssignment(list, undefined, this.world.image)
        return { memberId: this.#idOf(text.slice(0, at)), assignment }
      })
    this.world.send(
      'sync-group',
      {
        groupId: GROUP,
        generationId: Number(given.get('generation')),
        memberId: this.#idOf(memberId),
        groupInstanceId: given.get('instance') ?? null,
        protocolType: 'consumer',
        protocolName: 'range',
        assignments,
      },
      ({ errorCode = 0, assignment = Buffer.alloc(0) }) => {
        if (errorCode !== 0) {
          this.say(`${memberId}: ${errorName(errorCode)}`)
          return
        }
        const target = decodeAssignment(assignment, this.world.image)
        const list = typeof target === 'string' ? [] : listOfTarget(target)
        this.say(`${memberId}: ${this.#partitions(list)}`)
      },
      { apiVersion: 5 },
    )
  }

  #beat({ given }: Command, memberId: string): void {
    const { errorCode = 0 } = this.world.call('heartbeat', {
      groupId: GROUP,
      generationId: Number(given.get('generation')),
      memberId: this.#idOf(memberId),
      groupInstanceId: given.get('instance') ?? null,
    })
    this.say(`${memberId}: ${errorName(errorCode)}`)
  }

  #leave({ given }: Command, memberId: string): void {
    const id = this.#idOf(memberId)
    const members = [{ memberId: id, groupInstanceId: given.get('instance') ?? null, reason: null }]
    const request = { groupId: GROUP, memberId: '', members }
    const answer = this.world.call('leave-group', request, { apiVersion: 5 })
    for (const { errorCode = 0 } of answer.members ?? []) {
      this.say(`${memberId === '-' ? given.get('instance') : memberId}: ${errorName(errorCode)}`)
    }
  }

  #commit({ given, words }: Command, memberId: string): void {
    const [topic = '', partition = ''] = (words[1] ?? '').split(':')
    const answer = this.world.call(
      'offset-commit',
      {
        groupId: GROUP,
        generationIdOrMemberEpoch: Number(given.get('epoch')),
        memberId: this.#idOf(memberId),
        groupInstanceId: null,
        retentionTimeMs: -1,
        topics: [
          {
            name: topic,
            topicId: this.world.image.topic(topic)!.id,
            partitions: [
              {
                partitionIndex: Number(partition),
                committedOffset: 1,
                committedLeaderEpoch: -1,
                committedMetadata: '',
              },
            ],
          },
        ],
      },
      { apiVersion: Number(given.get('version') ?? 9) },
    )
    const { errorCode = 0 } = answer.topics?.[0]?.partitions?.[0] ?? {}
    this.say(`${memberId}: ${errorName(errorCode)}`)
  }

  #fetch({ given }: Command, memberId: string): void {
    const answer = this.world.call(
      'offset-fetch',
      {
        groupId: '',
        topics: null,
        groups: [
          { groupId: GROUP, memberId, memberEpoch: Number(given.get('epoch')), topics: null },
        ],
        requireStable: false,
      },
      { apiVersion: 9 },
    )
    this.say(`${memberId}: ${errorName(answer.groups?.[0]?.errorCode ?? 0)}`)
  }

  #describe(): void {
    const answer = this.world.call('consumer-group-describe', {
      groupIds: [GROUP],
      includeAuthorizedOperations: false,
    })
    const group = answer.groups![0]!
    if (group.errorCode) {
      this.say(`${errorName(group.errorCode)} ${group.errorMessage}`)
      return
    }
    const { groupState, groupEpoch, assignmentEpoch, assignorName, members = [] } = group
    this.say(`${groupState} epoch ${groupEpoch} target ${assignmentEpoch} ${assignorName}`)
    for (const { memberId, memberEpoch, assignment, targetAssignment, memberType } of members) {
      const has = this.#partitions(assignment?.topicPartitions ?? [])
      const gets = this.#partitions(targetAssignment?.topicPartitions ?? [])
      const kind = memberType === 0 ? ' (classic)' : ''
      this.say(`  ${memberId}${kind}: epoch ${memberEpoch}, has ${has}, target ${gets}`)
    }
  }

  #list(): void {
    const answer = this.world.call('list-groups', { statesFilter: [], typesFilter: [] })
    for (const { groupId, groupType, groupState } of answer.groups ?? []) {
      this.say(`${groupId}: ${groupType} ${groupState}`)
    }
  }

  /** The group, for tests that look inside. */
  get group(): ConsumerGroup | undefined {
    return this.world.service.coordinator.groups.get(GROUP) as ConsumerGroup | undefined
  }
}

/** The embedded subscription of a classic member, version 1. */
function subscription(value: {
  topics: string[]
  ownedPartitions: { topic: string; partitions: number[] }[]
}): Buffer {
  const writer = new Writer()
  writer.reset()
  writer.int16(1)
  encodeMessage(ConsumerProtocolSubscription, 1, value, writer)
  return writer.finish()
}

function topicsOf(text: string): Map<string, number[]> {
  const topics = new Map<string, number[]>()
  for (const one of text.split(';').filter(Boolean)) {
    const [topic = '', partitions = ''] = one.split(':')
    topics.set(topic, partitions.split(',').map(Number))
  }
  return topics
}
