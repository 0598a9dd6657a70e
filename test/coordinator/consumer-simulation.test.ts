/**
 * Random groups under random faults: members that come, are silent, lose answers and crash, topics
 * that grow, coordinators that restart. The rules know nothing of the code under test.
 */
import test from 'ava'
import type { ConsumerGroupHeartbeat } from '../../src/protocol/apis/68-consumer-group-heartbeat.ts'
import type { RequestOf } from '../../src/protocol/schema.ts'
import { Seeded } from '../support/seeded.ts'
import { ConsumerWorld } from './consumer-world.ts'

/** Seeds that found something once. */
const PAST_SEEDS: readonly number[] = []
const STEPS = 400
const GROUP = 'g'
const TOPICS = ['a', 'b', 'c']
const HEARTBEAT_MS = 5000

/** A consumer as Kafka's clients behave: it heartbeats, and confirms what it has given up. */
class Client {
  readonly memberId: string
  readonly instanceId: string | null
  epoch = 0
  /** What it reads from now on; the rules are about these. `topic:partition`. */
  owned = new Set<string>()
  /** What it was told to have; it takes a step to get there. */
  assigned = new Set<string>()
  subscription: { names: string[] | null; regex: string | null }
  /** Whether the next heartbeat has to say everything again. */
  sendsAll = true

  constructor(memberId: string, instanceId: string | null, random: Seeded) {
    this.memberId = memberId
    this.instanceId = instanceId
    this.subscription = subscriptionOf(random)
  }
}

function subscriptionOf(random: Seeded): { names: string[] | null; regex: string | null } {
  if (random.chance(0.3)) return { names: null, regex: random.pick(['a|b', 'b|c', '[abc]']) }
  return { names: TOPICS.filter(() => random.chance(0.7)), regex: null }
}

class Simulation {
  readonly #random: Seeded
  readonly #world = new ConsumerWorld({ 'group.consumer.assignment.interval.ms': '1000' })
  readonly #clients = new Map<string, Client>()
  readonly #believes: boolean
  #made = 0

  /** `believes`: the canary. The coordinator hears that members have given up whatever they have,
   *  and so it waits for nobody. */
  constructor(seed: number, { believes = false } = {}) {
    this.#random = new Seeded(seed)
    this.#believes = believes
    for (const topic of TOPICS) this.#world.addTopic(topic, this.#random.between(1, 5))
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
    else if (dice < 0.12) this.#resubscribe(client)
    else if (dice < 0.13) this.#growTopic()
    else if (dice < 0.15) this.#world.restart()
    else if (dice < 0.2) this.#world.tick(random.between(100, 60_000))
    else if (dice < 0.3) this.#world.tick(random.between(0, 2000))
    else this.#heartbeat(client, random.chance(0.1))
  }

  #join(): void {
    const instanceId = this.#random.chance(0.3) ? `i${this.#random.between(0, 2)}` : null
    const client = new Client(`m${this.#made++}`, instanceId, this.#random)
    this.#clients.set(client.memberId, client)
    this.#heartbeat(client, false)
  }

  #resubscribe(client: Client): void {
    client.subscription = subscriptionOf(this.#random)
    client.sendsAll = true
  }

  #growTopic(): void {
    const topic = this.#random.pick(TOPICS)
    const count = this.#world.image.topic(topic)!.partitions.length
    if (count < 8) this.#world.growTopic(topic, count + 1)
  }

  #leave(client: Client): void {
    this.#clients.delete(client.memberId)
    if (client.epoch <= 0) return
    const memberEpoch = client.instanceId !== null && this.#random.chance(0.5) ? -2 : -1
    client.owned.clear()
    this.#send({ ...this.#request(client), memberEpoch })
  }

  /** `lost`: the answer does not arrive. */
  #heartbeat(client: Client, lost: boolean): void {
    // What it has to give up it gives up before it says so.
    for (const one of client.owned) if (!client.assigned.has(one)) client.owned.delete(one)
    for (const one of client.assigned) client.owned.add(one)
    const request = this.#request(client)
    client.sendsAll = lost
    const answer = this.#send(request)
    if (lost) return
    switch (answer.errorCode ?? 0) {
      case 0:
        break
      case 25: // UNKNOWN_MEMBER_ID
      case 69: // GROUP_ID_NOT_FOUND
      case 110: // FENCED_MEMBER_EPOCH
        client.epoch = 0
        client.owned.clear()
        client.assigned.clear()
        client.sendsAll = true
        return
      case 82: // FENCED_INSTANCE_ID
      case 111: // UNRELEASED_INSTANCE_ID
        this.#clients.delete(client.memberId)
        return
      default:
        throw new Error(`${client.memberId} got ${answer.errorCode}: ${answer.errorMessage}`)
    }
    client.epoch = answer.memberEpoch ?? 0
    if (!answer.assignment) return
    client.assigned = new Set(
      (answer.assignment.topicPartitions ?? []).flatMap(({ topicId = '', partitions = [] }) => {
        return partitions.map((partition) => `${topicId}:${partition}`)
      }),
    )
  }

  #request(client: Client): RequestOf<typeof ConsumerGroupHeartbeat> {
    const all = client.sendsAll || client.epoch === 0
    return {
      groupId: GROUP,
      memberId: client.memberId,
      memberEpoch: client.epoch,
      instanceId: client.instanceId,
      rackId: null,
      rebalanceTimeoutMs: all ? 30_000 : -1,
      subscribedTopicNames: all ? (client.subscription.names ?? []) : null,
      subscribedTopicRegex: all ? (client.subscription.regex ?? '') : null,
      serverAssignor: null,
      topicPartitions: client.epoch === 0 || this.#believes ? [] : this.#listOf(client.owned),
    }
  }

  #listOf(owned: ReadonlySet<string>) {
    const byTopic = new Map<string, number[]>()
    for (const one of owned) {
      const [topicId = '', partition = ''] = one.split(':')
      byTopic.set(topicId, [...(byTopic.get(topicId) ?? []), Number(partition)])
    }
    return [...byTopic].map(([topicId, partitions]) => ({ topicId, partitions }))
  }

  #send(request: RequestOf<typeof ConsumerGroupHeartbeat>) {
    return this.#world.call('consumer-group-heartbeat', request)
  }

  /** No partition is read by two members that the coordinator takes for alive. */
  #checkOwners(when: string): void {
    const members = this.#describe().members ?? []
    const owners = new Map<string, string>()
    for (const { memberId = '', memberEpoch = 0 } of members) {
      const client = this.#clients.get(memberId)
      // An older epoch is that of a client which has lost an answer; it has what it had.
      if (client === undefined || memberEpoch < 0) continue
      for (const one of client.owned) {
        const other = owners.get(one)
        if (other !== undefined) throw new Error(`${other} and ${memberId} read ${one} ${when}`)
        owners.set(one, memberId)
      }
    }
  }

  #describe() {
    const answer = this.#world.call('consumer-group-describe', {
      groupIds: [GROUP],
      includeAuthorizedOperations: false,
    })
    return answer.groups![0]!
  }

  /** Without faults everybody gets what it reads, each partition has one reader, and that stays. */
  #quiesce(): void {
    for (let round = 0; round < 30; round++) {
      for (const client of [...this.#clients.values()]) this.#heartbeat(client, false)
      this.#world.tick(HEARTBEAT_MS)
    }
    const group = this.#describe()
    if (this.#clients.size === 0) return
    if (group.groupState !== 'Stable') throw new Error(`the group is ${group.groupState}`)
    this.#checkOwners('at the end')
    this.#checkComplete()
    this.#checkRestart(JSON.stringify(group))
  }

  #checkComplete(): void {
    const { image } = this.#world
    for (const name of TOPICS) {
      const topic = image.topic(name)!
      const readers = [...this.#clients.values()].filter(({ subscription }) => {
        if (subscription.names?.includes(name)) return true
        return subscription.regex !== null && new RegExp(`^(?:${subscription.regex})$`).test(name)
      })
      for (const { index } of topic.partitions) {
        const owners = [...this.#clients.values()].filter(({ owned }) => {
          return owned.has(`${topic.id}:${index}`)
        })
        if (owners.length !== Math.min(1, readers.length)) {
          throw new Error(`${name}-${index} is read by ${owners.length} of ${readers.length}`)
        }
        if (owners.some((owner) => !readers.includes(owner))) {
          throw new Error(`${name}-${index} is read by one that does not subscribe to it`)
        }
      }
    }
  }

  /** The log alone makes the same group again. */
  #checkRestart(before: string): void {
    this.#world.restart()
    const after = JSON.stringify(this.#describe())
    if (after !== before) throw new Error(`${before}\nbecame\n${after}`)
  }
}

const seeds = [...PAST_SEEDS, ...Array.from({ length: 6 }, (_, i) => i + 1)]

test('random groups give each partition to one member, and settle when faults end', (t) => {
  for (const seed of seeds) {
    t.notThrows(() => new Simulation(seed).run(), `seed ${seed}`)
  }
})

test('a coordinator that waits for no revocation is caught: the canary', (t) => {
  // Where some member is late enough to be seen.
  for (const seed of [1, 2, 5]) {
    t.throws(() => new Simulation(seed, { believes: true }).run(), {
      message: /read .* after step/,
    })
  }
})
