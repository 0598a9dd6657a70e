/**
 * The language of test/scenarios/group/streams-*.txt, over that of group-script.ts:
 *
 *   grow NAME PARTITIONS · config KEY=VALUE     of the group g
 *   topology [epoch=N] ID=SOURCES/REPARTITIONED/SINKS/CHANGELOGS/JOINED ...
 *                                               what members bring from now on: lists with commas,
 *     of REPARTITIONED and CHANGELOGS also NAME@PARTITIONS; JOINED: inputs that are copartitioned
 *   hb MEMBER [epoch=N] [process=P] [owns=TASKS] [endpoint=HOST:PORT] [known=N] [shutdown=yes]
 *     [timeout=MS] [instance=ID] [warmup=TASKS] [offsets=yes] [brings=yes] [over=CONNECTION]
 *                                               epoch 0 (the default) joins, -1 leaves
 *     TASKS: active;standby, each 0:0,1 with + between subtopologies; `-` is nothing
 *   commit MEMBER EPOCH TOPIC PARTITION · fetch MEMBER EPOCH    `-`: nobody in particular
 *   fail-topics WHY · describe · list [STATE] · delete
 */
import type { CommandOf } from '../../src/coordinator/group/commands.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { type Command, GroupScript } from './group-script.ts'

const GROUP = 'g'

type Request = CommandOf<'streams-group-heartbeat'>['request']
type Topology = NonNullable<Request['topology']>
type Subtopology = Topology['subtopologies'][number]
type TaskIds = NonNullable<Request['activeTasks']>

/** Runs the commands of one scenario. */
export class StreamsScript extends GroupScript {
  #topology: Topology = { epoch: 0, subtopologies: [] }

  protected request({ name, words, given }: Command, first: string): void {
    const { world } = this
    const commands: Record<string, () => void> = {
      grow: () => world.growTopic(first, Number(words[1])),
      config: () => world.setGroupConfig(GROUP, Object.fromEntries(given)),
      topology: () => {
        this.#topology = topologyOf(given)
      },
      hb: () => this.#heartbeat(first, given),
      commit: () => this.#commit(first, words),
      fetch: () => this.#fetch(first, Number(words[1])),
      'fail-topics': () => {
        world.topicFailure = words.join(' ') || undefined
      },
      describe: () => this.#describe(),
      list: () => this.#list(first),
      delete: () => this.#delete(),
    }
    const run = commands[name]
    if (run === undefined) throw new Error(`no command ${name}`)
    run()
  }

  #heartbeat(memberId: string, given: ReadonlyMap<string, string>): void {
    const over = { connection: given.get('over') }
    const answer = this.world.call(
      'streams-group-heartbeat',
      this.#requestOf(memberId, given),
      over,
    )
    if (answer.errorCode) {
      this.say(`${memberId}: ${errorName(answer.errorCode)} ${answer.errorMessage ?? ''}`.trim())
      return
    }
    const { activeTasks, standbyTasks, status, partitionsByUserEndpoint } = answer
    const active = activeTasks ? `, active ${tasksText(activeTasks)}` : ''
    const standby = standbyTasks?.length ? `, standby ${tasksText(standbyTasks)}` : ''
    this.say(`${memberId}: epoch ${answer.memberEpoch}${active}${standby}`)
    for (const { statusCode, statusDetail } of status ?? []) {
      this.say(`  status ${statusCode}: ${statusDetail}`)
    }
    for (const { userEndpoint, activePartitions, standbyPartitions } of partitionsByUserEndpoint ??
      []) {
      const { host, port } = userEndpoint ?? {}
      const [of, kept] = [activePartitions, standbyPartitions].map((list) =>
        (list ?? []).map(({ topic, partitions }) => `${topic}:${partitions}`).join(' '),
      )
      this.say(`  ${host}:${port} has ${of || 'nothing'}${kept ? `, keeps ${kept}` : ''}`)
    }
    if (answer.endpointInformationEpoch) this.say(`  endpoints ${answer.endpointInformationEpoch}`)
  }

  #requestOf(memberId: string, given: ReadonlyMap<string, string>): Request {
    const memberEpoch = Number(given.get('epoch') ?? 0)
    const joins = memberEpoch === 0
    const owns = given.get('owns') ?? (joins ? '-' : undefined)
    const [active = '', standby = ''] = (owns === '-' ? '' : (owns ?? '')).split(';')
    const [host = '', port] = (given.get('endpoint') ?? '').split(':')
    return {
      groupId: GROUP,
      memberId,
      memberEpoch,
      endpointInformationEpoch: Number(given.get('known') ?? 0),
      instanceId: given.get('instance') ?? null,
      rackId: null,
      rebalanceTimeoutMs: Number(given.get('timeout') ?? (joins ? 30_000 : -1)),
      topology: joins || given.get('brings') ? this.#topology : null,
      activeTasks: owns === undefined ? null : tasksOf(active),
      standbyTasks: owns === undefined ? null : tasksOf(standby),
      warmupTasks: owns === undefined ? null : tasksOf(given.get('warmup') ?? ''),
      processId: joins ? (given.get('process') ?? `p-${memberId}`) : null,
      userEndpoint: port === undefined ? null : { host, port: Number(port) },
      clientTags: joins ? [] : null,
      taskOffsets: given.get('offsets') ? [] : null,
      taskEndOffsets: null,
      shutdownApplication: given.has('shutdown'),
    }
  }

  #commit(memberId: string, [, epoch, name = '', partition]: readonly string[]): void {
    const request = {
      groupId: GROUP,
      memberId: memberId === '-' ? '' : memberId,
      groupInstanceId: null,
      generationIdOrMemberEpoch: Number(epoch),
      retentionTimeMs: -1,
      topics: [
        {
          name,
          topicId: '',
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
    }
    const answer = this.world.call('offset-commit', request, { apiVersion: 9 })
    this.#outcome(answer.topics?.[0]?.partitions?.[0]?.errorCode, null)
  }

  #fetch(memberId: string, memberEpoch: number): void {
    const groups = [{ groupId: GROUP, memberId, memberEpoch, topics: null }]
    const request = { groupId: '', topics: null, groups, requireStable: false }
    const answer = this.world.call('offset-fetch', request, { apiVersion: 9 })
    this.#outcome(answer.groups?.[0]?.errorCode, null)
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
    const [group] = this.world.call('streams-group-describe', request).groups ?? []
    if (group === undefined || group.errorCode) {
      this.#outcome(group?.errorCode, group?.errorMessage)
      return
    }
    const { groupState, groupEpoch, assignmentEpoch, topology } = group
    this.say(`${groupState} epoch ${groupEpoch} target ${assignmentEpoch}`)
    for (const one of topology?.subtopologies ?? []) {
      const topics = [...(one.repartitionSourceTopics ?? []), ...(one.stateChangelogTopics ?? [])]
      const own = topics.map(({ name, partitions }) => `${name}@${partitions}`).join(' ')
      this.say(`  ${one.subtopologyId}: ${one.sourceTopics} ${own}`.trimEnd())
    }
    for (const { memberId, memberEpoch, assignment, targetAssignment } of group.members ?? []) {
      const has = rolesText(assignment)
      this.say(
        `  ${memberId}: epoch ${memberEpoch}, has ${has}, is to have ${rolesText(targetAssignment)}`,
      )
    }
  }

  #list(state: string): void {
    const request = { statesFilter: state === '' ? [] : [state], typesFilter: ['streams'] }
    const groups = this.world.call('list-groups', request).groups ?? []
    for (const { groupId, groupType, groupState, protocolType } of groups) {
      this.say(`${groupId}: ${groupType} ${groupState} ${protocolType}`)
    }
    if (groups.length === 0) this.say('no groups')
  }
}

function topologyOf(given: ReadonlyMap<string, string>): Topology {
  const subtopologies = [...given].filter(([key]) => key !== 'epoch').map(subtopologyOf)
  return { epoch: Number(given.get('epoch') ?? 0), subtopologies }
}

function subtopologyOf([subtopologyId, text]: [string, string]): Subtopology {
  const parts = text.split('/').map((part) => part.split(',').filter(Boolean))
  const [sourceTopics = [], repartition = [], sinks = [], changelogs = [], together = []] = parts
  const repartitionSourceTopics = repartition.map(topicInfo)
  const indexes = (names: readonly string[]) =>
    together.map((name) => names.indexOf(name)).filter((index) => index >= 0)
  const group = {
    sourceTopics: indexes(sourceTopics),
    sourceTopicRegex: [],
    repartitionSourceTopics: indexes(repartitionSourceTopics.map(({ name }) => name)),
  }
  return {
    subtopologyId,
    sourceTopics,
    sourceTopicRegex: [],
    stateChangelogTopics: changelogs.map(topicInfo),
    repartitionSinkTopics: sinks,
    repartitionSourceTopics,
    copartitionGroups: together.length === 0 ? [] : [group],
  }
}

function topicInfo(text: string) {
  const [name = '', partitions = '0'] = text.split('@')
  return { name, partitions: Number(partitions), replicationFactor: 0, topicConfigs: [] }
}

function tasksOf(text: string): TaskIds {
  return text
    .split('+')
    .filter(Boolean)
    .map((one) => {
      const [subtopologyId = '', partitions = ''] = one.split(':')
      return { subtopologyId, partitions: partitions.split(',').filter(Boolean).map(Number) }
    })
}

interface Listed {
  readonly subtopologyId?: string
  readonly partitions?: readonly number[]
}

function tasksText(list: readonly Listed[]): string {
  return list.map((one) => `${one.subtopologyId}:${one.partitions}`).join('+') || 'nothing'
}

function rolesText(assignment?: {
  readonly activeTasks?: readonly Listed[]
  readonly standbyTasks?: readonly Listed[]
}): string {
  const standby = assignment?.standbyTasks ?? []
  const kept = standby.length > 0 ? ` standby ${tasksText(standby)}` : ''
  return `${tasksText(assignment?.activeTasks ?? [])}${kept}`
}
