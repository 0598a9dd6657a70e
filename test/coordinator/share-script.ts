/**
 * The language of test/scenarios/group/share-*.txt, over that of group-script.ts:
 *
 *   grow NAME PARTITIONS · config KEY=VALUE     of the group g
 *   hb MEMBER [epoch=N] [names=a,b] [over=CONNECTION]
 *                                               epoch 0 (the default) joins, -1 leaves
 *   alter TOPIC PARTITION OFFSET · forget TOPIC · delete
 *   fail-state ERROR · describe · list · offsets
 */
import { ErrorCode, errorName } from '../../src/protocol/errors.ts'
import { type Command, GroupScript } from './group-script.ts'

const GROUP = 'g'

/** Runs the commands of one scenario. */
export class ShareScript extends GroupScript {
  protected request({ name, words, given }: Command, first: string): void {
    const { world } = this
    const commands: Record<string, () => void> = {
      grow: () => world.growTopic(first, Number(words[1])),
      config: () => world.setGroupConfig(GROUP, Object.fromEntries(given)),
      'fail-state': () => {
        world.shareStates.nextError = ErrorCode[first as keyof typeof ErrorCode]
      },
      hb: () => this.#heartbeat(first, given),
      alter: () => this.#alter(first, Number(words[1]), Number(words[2])),
      forget: () => this.#forget(first),
      delete: () => this.#delete(),
      describe: () => this.#describe(),
      list: () => this.#list(),
      offsets: () => this.#offsets(),
    }
    const run = commands[name]
    if (run === undefined) throw new Error(`no command ${name}`)
    run()
  }

  #heartbeat(memberId: string, given: ReadonlyMap<string, string>): void {
    const request = {
      groupId: GROUP,
      memberId,
      memberEpoch: Number(given.get('epoch') ?? 0),
      rackId: null,
      subscribedTopicNames: given.get('names')?.split(',').filter(Boolean) ?? null,
    }
    const over = { connection: given.get('over') }
    const answer = this.world.call('share-group-heartbeat', request, over)
    if (answer.errorCode) {
      this.say(`${memberId}: ${errorName(answer.errorCode)} ${answer.errorMessage ?? ''}`.trim())
      return
    }
    const assigned = answer.assignment?.topicPartitions
    const text = assigned === undefined ? '' : `, ${this.#partitions(assigned)}`
    this.say(`${memberId}: epoch ${answer.memberEpoch}${text}`)
  }

  #partitions(list: readonly { topicId?: string; partitions?: readonly number[] }[]): string {
    const topics = list.map(({ topicId = '', partitions = [] }) => {
      return `${this.topicName(topicId)}:${partitions.join(',')}`
    })
    return topics.sort().join(' ') || 'nothing'
  }

  #alter(topicName: string, partitionIndex: number, startOffset: number): void {
    const topics = [{ topicName, partitions: [{ partitionIndex, startOffset }] }]
    const request = { groupId: GROUP, topics }
    const answer = this.world.call('alter-share-group-offsets', request)
    const one = answer.responses?.[0]?.partitions?.[0]
    this.#outcome(answer.errorCode || one?.errorCode, answer.errorMessage ?? one?.errorMessage)
  }

  #forget(topicName: string): void {
    const request = { groupId: GROUP, topics: [{ topicName }] }
    const answer = this.world.call('delete-share-group-offsets', request)
    const one = answer.responses?.[0]
    this.#outcome(answer.errorCode || one?.errorCode, answer.errorMessage ?? one?.errorMessage)
  }

  #delete(): void {
    const answer = this.world.call('delete-groups', { groupsNames: [GROUP] })
    this.#outcome(answer.results?.[0]?.errorCode, null)
  }

  #outcome(errorCode: number | undefined, message: string | null | undefined): void {
    this.say(errorCode ? `${errorName(errorCode)} ${message ?? ''}`.trim() : 'done')
  }

  #describe(): void {
    const request = { groupIds: [GROUP], includeAuthorizedOperations: false }
    const [group] = this.world.call('share-group-describe', request).groups ?? []
    if (group === undefined || group.errorCode) {
      this.#outcome(group?.errorCode, group?.errorMessage)
      return
    }
    const { groupState, groupEpoch, assignmentEpoch } = group
    this.say(`${groupState} epoch ${groupEpoch} target ${assignmentEpoch}`)
    for (const { memberId, memberEpoch, assignment } of group.members ?? []) {
      const has = this.#partitions(assignment?.topicPartitions ?? [])
      this.say(`  ${memberId}: epoch ${memberEpoch}, has ${has}`)
    }
  }

  #list(): void {
    const request = { statesFilter: [], typesFilter: ['share'] }
    const groups = this.world.call('list-groups', request).groups ?? []
    for (const { groupId, groupType, groupState } of groups) {
      this.say(`${groupId}: ${groupType} ${groupState}`)
    }
    if (groups.length === 0) this.say('no groups')
  }

  #offsets(): void {
    const request = { groups: [{ groupId: GROUP, topics: null }] }
    const [group] = this.world.call('describe-share-group-offsets', request)
    for (const { topicName, partitions } of group?.topics ?? []) {
      const starts = partitions.map(({ partition, startOffset }) => `${partition}@${startOffset}`)
      this.say(`${topicName}: ${starts.join(' ')}`)
    }
    if (group?.topics.length === 0) this.say('no topics')
  }
}
