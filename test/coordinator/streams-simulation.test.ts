/**
 * Random streams groups under random faults: members that come, are silent, lose answers and crash,
 * topics that go and come, coordinators that restart. The rules know nothing of the code that they
 * test.
 */
import test from 'ava'
import type { CommandOf } from '../../src/coordinator/group/commands.ts'
import { Seeded } from '../support/seeded.ts'
import { ConsumerWorld } from './consumer-world.ts'

/** Seeds that found something once. */
const PAST_SEEDS: readonly number[] = [104]
const STEPS = 300
const GROUP = 'g'
const HEARTBEAT_MS = 5000
const PARTITIONS = 6

type Request = CommandOf<'streams-group-heartbeat'>['request']
type Role = 'active' | 'standby'

const subtopology = {
  sourceTopicRegex: [],
  stateChangelogTopics: [],
  repartitionSinkTopics: [],
  repartitionSourceTopics: [],
  copartitionGroups: [],
}
const own = (name: string) => ({ name, partitions: 0, replicationFactor: 0, topicConfigs: [] })
/** Read, written into another topic, read again and counted. */
const topology = {
  epoch: 0,
  subtopologies: [
    { ...subtopology, subtopologyId: '0', sourceTopics: ['in'], repartitionSinkTopics: ['words'] },
    {
      ...subtopology,
      subtopologyId: '1',
      sourceTopics: [],
      repartitionSourceTopics: [own('words')],
      stateChangelogTopics: [own('counts')],
    },
  ],
}

/** A thread of an application: it heartbeats, and confirms what it has given up. */
class Client {
  readonly memberId: string
  readonly processId: string
  epoch = 0
  /** What it runs; the rules are about these. `subtopology:partition`. */
  readonly runs: Record<Role, Set<string>> = { active: new Set(), standby: new Set() }
  /** What it was told to have; it takes a step to get there. */
  told: Record<Role, readonly string[]> = { active: [], standby: [] }

  constructor(memberId: string, processId: string) {
    this.memberId = memberId
    this.processId = processId
  }

  follow(): void {
    for (const role of ['active', 'standby'] as const) {
      for (const one of this.runs[role])
        if (!this.told[role].includes(one)) this.runs[role].delete(one)
    }
    for (const role of ['active', 'standby'] as const) {
      for (const one of this.told[role]) this.runs[role].add(one)
    }
  }

  forget(): void {
    this.epoch = 0
    this.told = { active: [], standby: [] }
    this.follow()
  }
}

class Simulation {
  readonly #random: Seeded
  readonly #world = new ConsumerWorld({ 'group.streams.assignment.interval.ms': '1000' })
  readonly #clients = new Map<string, Client>()
  readonly #believes: boolean
  #made = 0

  /** `believes`: the canary. The coordinator hears that members have given up whatever they have,
   *  and so it waits for nobody. */
  constructor(seed: number, { believes = false } = {}) {
    this.#random = new Seeded(seed)
    this.#believes = believes
    this.#world.addTopic('in', PARTITIONS)
  }

  run(): void {
    for (let step = 0; step < STEPS; step++) {
      this.#step()
      this.#checkOwners(`after step ${step}`)
    }
    this.#quiesce()
  }

  #step(): void {
    const random = this.#random
    const client = this.#clients.size > 0 ? random.pick([...this.#clients.values()]) : undefined
    const dice = random.next()
    if (client === undefined || (dice < 0.06 && this.#clients.size < 8)) this.#join()
    else if (dice < 0.08) this.#clients.delete(client.memberId)
    else if (dice < 0.1) this.#leave(client)
    else if (dice < 0.12) this.#setStandbys(random.between(0, 2))
    else if (dice < 0.13) this.#replaceTopic()
    else if (dice < 0.15) this.#world.restart()
    else if (dice < 0.2) this.#world.tick(random.between(100, 60_000))
    else if (dice < 0.3) this.#world.tick(random.between(0, 2000))
    else this.#heartbeat(client, random.chance(0.1))
  }

  #join(): void {
    const client = new Client(`m${this.#made++}`, `p${this.#random.between(0, 2)}`)
    this.#clients.set(client.memberId, client)
    this.#heartbeat(client, false)
  }

  #setStandbys(count: number): void {
    this.#world.setGroupConfig(GROUP, { 'streams.num.standby.replicas': String(count) })
  }

  #replaceTopic(): void {
    if (this.#world.image.topic('in') === undefined) this.#world.addTopic('in', PARTITIONS)
    else this.#world.deleteTopic('in')
  }

  #leave(client: Client): void {
    this.#clients.delete(client.memberId)
    if (client.epoch <= 0) return
    this.#send({ ...this.#request(client), memberEpoch: -1 })
  }

  /** `lost`: the answer does not arrive. */
  #heartbeat(client: Client, lost: boolean): void {
    // What it has to give up it gives up before it says so.
    client.follow()
    const answer = this.#send(this.#request(client))
    if (lost) return
    switch (answer.errorCode ?? 0) {
      case 0:
        break
      case 25: // UNKNOWN_MEMBER_ID
      case 69: // GROUP_ID_NOT_FOUND
      case 110: // FENCED_MEMBER_EPOCH
        client.forget()
        return
      default:
        throw new Error(`${client.memberId} got ${answer.errorCode}: ${answer.errorMessage}`)
    }
    client.epoch = answer.memberEpoch ?? 0
    if (!answer.activeTasks || !answer.standbyTasks) return
    client.told = { active: named(answer.activeTasks), standby: named(answer.standbyTasks) }
  }

  #request(client: Client): Request {
    const joins = client.epoch === 0
    const owned = (role: Role) => (joins || this.#believes ? [] : listOf(client.runs[role]))
    return {
      groupId: GROUP,
      memberId: client.memberId,
      memberEpoch: client.epoch,
      endpointInformationEpoch: 0,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: joins ? 30_000 : -1,
      topology: joins ? topology : null,
      activeTasks: owned('active'),
      standbyTasks: owned('standby'),
      warmupTasks: [],
      processId: joins ? client.processId : null,
      userEndpoint: null,
      clientTags: joins ? [] : null,
      taskOffsets: null,
      taskEndOffsets: null,
      shutdownApplication: false,
    }
  }

  #send(request: Request) {
    return this.#world.call('streams-group-heartbeat', request)
  }

  /** No task runs at two members, or twice in a process, that the coordinator takes for alive. */
  #checkOwners(when: string): void {
    const owners = new Map<string, string>()
    for (const { memberId = '' } of this.#describe().members ?? []) {
      const client = this.#clients.get(memberId)
      if (client === undefined) continue
      const places = [
        ...[...client.runs.active].map((one) => `${one} active`),
        ...[...client.runs.active, ...client.runs.standby].map((one) => {
          return `${one} in ${client.processId}`
        }),
      ]
      for (const place of places) {
        const other = owners.get(place)
        if (other !== undefined) throw new Error(`${other} and ${memberId} run ${place} ${when}`)
        owners.set(place, memberId)
      }
    }
  }

  #describe() {
    const request = { groupIds: [GROUP], includeAuthorizedOperations: false }
    return this.#world.call('streams-group-describe', request).groups![0]!
  }

  /** Without faults every task runs once, with as many copies as processes allow; that stays. */
  #quiesce(): void {
    if (this.#world.image.topic('in') === undefined) this.#replaceTopic()
    this.#setStandbys(1)
    if (this.#clients.size === 0) this.#join()
    for (let round = 0; round < 30; round++) {
      for (const client of [...this.#clients.values()]) this.#heartbeat(client, false)
      this.#world.tick(HEARTBEAT_MS)
    }
    const group = this.#describe()
    if (group.groupState !== 'Stable') throw new Error(`the group is ${group.groupState}`)
    this.#checkOwners('at the end')
    const clients = [...this.#clients.values()]
    const several = new Set(clients.map(({ processId }) => processId)).size > 1
    for (let task = 0; task < 2 * PARTITIONS; task++) {
      const name = `${task % 2}:${task >> 1}`
      const count = (role: Role) => clients.filter(({ runs }) => runs[role].has(name)).length
      const copies = several && task % 2 === 1 ? 1 : 0
      if (count('active') === 1 && count('standby') === copies) continue
      throw new Error(`${name} runs ${count('active')} times with ${count('standby')} copies`)
    }
    this.#checkRestart(JSON.stringify(group.members))
  }

  /** The log alone makes the same group again. */
  #checkRestart(before: string): void {
    this.#world.restart()
    const after = JSON.stringify(this.#describe().members)
    if (after !== before) throw new Error(`${before}\nbecame\n${after}`)
  }
}

function named(
  tasks: readonly { subtopologyId?: string; partitions?: readonly number[] }[],
): readonly string[] {
  return tasks.flatMap(({ subtopologyId, partitions = [] }) =>
    partitions.map((partition) => `${subtopologyId}:${partition}`),
  )
}

function listOf(names: ReadonlySet<string>) {
  return [...names].map((name) => {
    const [subtopologyId = '', partition = ''] = name.split(':')
    return { subtopologyId, partitions: [Number(partition)] }
  })
}

const seeds = [...PAST_SEEDS, ...Array.from({ length: 6 }, (_, i) => i + 1)]

test('random streams groups run each task once, and settle when faults end', (t) => {
  for (const seed of seeds) {
    t.notThrows(() => new Simulation(seed).run(), `seed ${seed}`)
  }
})

test('a coordinator that waits for no revocation is caught: the canary', (t) => {
  let caught = 0
  for (const seed of seeds) {
    try {
      new Simulation(seed, { believes: true }).run()
    } catch (error) {
      if (/run .* after step/.test(String(error))) caught++
    }
  }
  t.true(caught > 0)
})
