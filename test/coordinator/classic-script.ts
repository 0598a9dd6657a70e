/**
 * The language of test/scenarios/group/classic-*.txt. One command a line; what it answers and what
 * it logs is the transcript. Names stand for member ids, `a.1` for the first id that `a` had.
 *
 *   join MEMBER [protocols=range:t,u/rr:t] [type=T] [instance=I] [session=MS] [timeout=MS]
 *     [version=N] [new=1]                  new: without an id, even if MEMBER has one
 *   sync MEMBER generation=N [assign=A=text/B=text] [instance=I] [type=T] [protocol=P]
 *   beat MEMBER generation=N [instance=I]
 *   leave MEMBER... [instance=I] [version=N]   `-`: no member id
 *   commit [MEMBER] TOPIC:PARTITION=OFFSET [generation=N] [retention=MS] [metadata=LENGTH]
 *     [version=N] [group=G]
 *   fetch [group=G] · delete-offsets TOPIC:PARTITION
 *   transaction PRODUCER TOPIC:PARTITION=OFFSET · end PRODUCER commit|abort
 *   stable TOPIC:PARTITION
 *   describe [version=N] · list [states=A,B] · delete [group=G]
 * and the commands of group-script.ts. join, sync and beat take [over=CONNECTION], such as 0:1
 */
import { ZERO_UUID } from '../../src/base/uuid.ts'
import type { GroupAnswers } from '../../src/coordinator/group/commands.ts'
import { fetchOffsets } from '../../src/coordinator/group/offsets-fetch.ts'
import { offsetRecord } from '../../src/coordinator/group/records.ts'
import { encodeMessage } from '../../src/protocol/compile.ts'
import { ErrorCode, errorName } from '../../src/protocol/errors.ts'
import { ConsumerProtocolSubscription } from '../../src/protocol/records/consumer-protocol-subscription.ts'
import { Writer } from '../../src/protocol/writer.ts'
import { type Command, GroupScript } from './group-script.ts'

function over({ given }: Command): { connection: string | undefined } {
  return { connection: given.get('over') }
}

/** Runs the commands of one scenario. */
export class ClassicScript extends GroupScript {
  protected request(command: Command, member: string): void {
    switch (command.name) {
      case 'join':
        this.#join(command, member)
        return
      case 'sync':
        this.#sync(command, member)
        return
      case 'beat': {
        const { generation: generationId } = numbersOf(command)
        const request = { groupId: 'g', generationId, memberId: this.#id(member) }
        const beat = { ...request, groupInstanceId: instanceOf(command) }
        const answer = this.world.call('heartbeat', beat, over(command))
        this.say(`${member}: ${errorName(answer.errorCode ?? 0)}`)
        return
      }
      case 'leave':
        this.#leave(command)
        return
      default:
        this.#ofOffsets(command, member)
    }
  }

  #ofOffsets(command: Command, first: string): void {
    switch (command.name) {
      case 'commit':
        this.#commit(command)
        return
      case 'fetch':
        this.#fetch(command)
        return
      case 'delete-offsets': {
        const { topic, partition } = placeOf(first)
        const partitions = [{ partitionIndex: partition }]
        const request = { groupId: 'g', topics: [{ name: topic, partitions }] }
        const answer = this.world.call('offset-delete', request)
        const one = answer.topics?.[0]?.partitions?.[0]?.errorCode ?? 0
        this.say(`${errorName(answer.errorCode ?? 0)} ${errorName(one)}`)
        return
      }
      case 'transaction':
      case 'end':
      case 'stable':
        this.#transaction(command)
        return
      default:
        this.#views(command)
    }
  }

  #join(command: Command, member: string): void {
    const { session = 10_000, timeout = 20_000, version = 9 } = numbersOf(command)
    const memberId = command.given.has('new') ? '' : this.#id(member, '')
    const text = command.given.get('protocols') ?? 'range:t'
    const request = {
      groupId: 'g',
      sessionTimeoutMs: session,
      rebalanceTimeoutMs: timeout,
      memberId,
      groupInstanceId: instanceOf(command),
      protocolType: command.given.get('type') ?? 'consumer',
      protocols: text === 'none' ? [] : text.split('/').map(protocolOf),
      reason: null,
    }
    const options = { apiVersion: version, clientId: member, ...over(command) }
    this.world.send(
      'join-group',
      request,
      (answer) => {
        const errorCode = answer.errorCode ?? 0
        const id = answer.memberId ?? ''
        if (id !== '' && id !== this.ids.get(member)) this.#take(member, id)
        if (errorCode !== ErrorCode.NONE) {
          this.say(`${member}: ${errorName(errorCode)}`)
          return
        }
        const members = (answer.members ?? []).map((one) => one.memberId).join(',')
        const skip = answer.skipAssignment ? ', skips assignment' : ''
        const list = members === '' ? '' : `, members ${members}`
        this.say(
          `${member}: generation ${answer.generationId} ${answer.protocolName}, leader ${answer.leader}${list}${skip}`,
        )
      },
      options,
    )
  }

  #sync(command: Command, member: string): void {
    const { generation: generationId } = numbersOf(command)
    const assign = command.given.get('assign')
    const assignments = (assign?.split('/') ?? []).map((one) => {
      const [name = '', text = ''] = one.split('=')
      return { memberId: this.#id(name), assignment: Buffer.from(text) }
    })
    const request = {
      groupId: 'g',
      generationId,
      memberId: this.#id(member),
      groupInstanceId: instanceOf(command),
      protocolType: command.given.get('type') ?? null,
      protocolName: command.given.get('protocol') ?? null,
      assignments,
    }
    const onAnswer = ({ errorCode = 0, assignment }: GroupAnswers['sync-group']) => {
      const outcome = errorCode === 0 ? `assigned "${assignment}"` : errorName(errorCode)
      this.say(`${member}: ${outcome}`)
    }
    this.world.send('sync-group', request, onAnswer, over(command))
  }

  #leave(command: Command): void {
    const { version = 5 } = numbersOf(command)
    const groupInstanceId = instanceOf(command)
    const members = command.words.map((word) => ({
      memberId: word === '-' ? '' : this.#id(word),
      groupInstanceId,
      reason: null,
    }))
    const memberId = members[0]?.memberId ?? ''
    const request = { groupId: 'g', memberId, members }
    const answer = this.world.call('leave-group', request, { apiVersion: version })
    const each = (answer.members ?? []).map(({ errorCode }) => errorName(errorCode ?? 0))
    this.say(`left: ${[errorName(answer.errorCode ?? 0), ...each].join(' ')}`)
  }

  #commit(command: Command): void {
    const { version = 9, generation = -1, retention = -1, metadata = 0 } = numbersOf(command)
    const place = [...command.given].find(([key]) => key.includes(':'))
    const { topic, partition } = placeOf(place?.[0] ?? '')
    const member = command.words[0]
    const request = {
      groupId: command.given.get('group') ?? 'g',
      generationIdOrMemberEpoch: generation,
      memberId: member === undefined ? '' : this.#id(member),
      groupInstanceId: instanceOf(command),
      retentionTimeMs: retention,
      topics: [
        {
          name: topic,
          topicId: ZERO_UUID,
          partitions: [
            {
              partitionIndex: partition,
              committedOffset: Number(place?.[1]),
              committedLeaderEpoch: -1,
              committedMetadata: 'm'.repeat(metadata),
            },
          ],
        },
      ],
    }
    const answer = this.world.call('offset-commit', request, { apiVersion: version })
    const errorCode = answer.topics?.[0]?.partitions?.[0]?.errorCode ?? 0
    this.say(`commit: ${errorName(errorCode)}`)
  }

  #fetch(command: Command): void {
    const groupId = command.given.get('group') ?? 'g'
    const request = { groupId: '', requireStable: false, topics: [] }
    const groups = [{ groupId, memberId: null, memberEpoch: -1, topics: null }]
    const answer = this.world.call('offset-fetch', { ...request, groups }, { apiVersion: 8 })
    const topics = answer.groups?.[0]?.topics ?? []
    const texts = topics.flatMap(({ name, partitions = [] }) => {
      return partitions.map((one) => `${name}:${one.partitionIndex}=${one.committedOffset}`)
    })
    this.say(`offsets of ${groupId}: ${texts.join(' ')}`)
  }

  #transaction({ name, words, given }: Command): void {
    const [first = '', second = ''] = words
    const { coordinator, runtime } = this.world.service
    if (name === 'end') {
      runtime.endTransaction(0, Number(first), second === 'commit')
      return
    }
    if (name === 'stable') {
      const { topic, partition } = placeOf(first)
      const topics = [{ name: topic, topicId: ZERO_UUID, partitionIndexes: [partition] }]
      const asked = { groupId: 'g', memberId: null, memberEpoch: -1, topics }
      const answer = fetchOffsets(coordinator, asked, { apiVersion: 8, requireStable: true })
      const one = answer.topics?.[0]?.partitions?.[0]
      this.say(`stable: ${errorName(one?.errorCode ?? 0)} ${one?.committedOffset}`)
      return
    }
    const [place = '', offset = ''] = [...given][0] ?? []
    const committed = {
      offset: Number(offset),
      leaderEpoch: -1,
      metadata: '',
      commitTimestampMs: this.world.nowMs,
      expireTimestampMs: -1,
      topicId: ZERO_UUID,
    }
    runtime.replay(0, offsetRecord({ group: 'g', ...placeOf(place) }, committed), Number(first))
  }

  #views(command: Command): void {
    const groupId = command.given.get('group') ?? 'g'
    switch (command.name) {
      case 'describe': {
        const { version = 6 } = numbersOf(command)
        const request = { groups: [groupId], includeAuthorizedOperations: false }
        const answer = this.world.call('describe-groups', request, { apiVersion: version })
        const group = answer.groups?.[0]
        const members = (group?.members ?? []).map((one) => {
          return `${one.memberId} "${one.memberAssignment}"`
        })
        const what = [group?.groupState, group?.protocolType, group?.protocolData, ...members]
        this.say(`${errorName(group?.errorCode ?? 0)} ${what.filter(Boolean).join(' ')}`)
        return
      }
      case 'list': {
        const statesFilter = command.given.get('states')?.split(',') ?? []
        const answer = this.world.call('list-groups', { statesFilter, typesFilter: [] })
        const groups = (answer.groups ?? []).map((one) => {
          return `${one.groupId} ${one.groupType} ${one.groupState} "${one.protocolType}"`
        })
        this.say(`groups: ${groups.join('; ')}`)
        return
      }
      case 'delete': {
        const answer = this.world.call('delete-groups', { groupsNames: [groupId] })
        this.say(`deleted: ${errorName(answer.results?.[0]?.errorCode ?? 0)}`)
        return
      }
      default:
        throw new Error(`no command ${command.name}`)
    }
  }

  /** A name that was never given an id stands for itself. */
  #id(member: string, unknown = member): string {
    return this.ids.get(member) ?? unknown
  }

  /** The older ids of a member are called `a.1`, `a.2` and so on. */
  #take(member: string, id: string): void {
    const old = this.ids.get(member)
    let count = 1
    while (this.ids.has(`${member}.${count}`)) count++
    if (old !== undefined) this.ids.set(`${member}.${count}`, old)
    this.ids.set(member, id)
  }
}

function numbersOf({ given }: Command): Record<string, number> & { generation: number } {
  const numbers: Record<string, number> = {}
  for (const [key, text] of given) if (/^-?\d+$/.test(text)) numbers[key] = Number(text)
  return { ...numbers } as Record<string, number> & { generation: number }
}

function instanceOf({ given }: Command): string | null {
  return given.get('instance') ?? null
}

function placeOf(text: string): { topic: string; partition: number } {
  const [topic = '', partition = ''] = text.split(':')
  return { topic, partition: Number(partition) }
}

function protocolOf(text: string): { name: string; metadata: Buffer } {
  const [name = '', topics = ''] = text.split(':')
  const writer = new Writer()
  writer.int16(1)
  encodeMessage(ConsumerProtocolSubscription, 1, { topics: topics.split(',') }, writer)
  return { name, metadata: writer.finish() }
}
