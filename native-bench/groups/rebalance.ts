/**
 * A group that is stable, somebody more who joins, and the time until it is stable again. The
 * members do what they have to at once, so that it is the broker that is waited for.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { newUuid } from '../../src/base/uuid.ts'
import { encodeAssignment } from '../../src/client/group-protocol.ts'
import { ConsumerGroupHeartbeat } from '../../src/protocol/apis/68-consumer-group-heartbeat.ts'
import type { ResponseOf } from '../../src/protocol/schema.ts'
import { cpuSeconds, type Target } from '../brokers/target.ts'
import { expectNone, isLoading, median, prepare, Wire } from '../brokers/wire.ts'
import { BenchMember } from './classic-member.ts'

const PARTITIONS = 1000
/** How often a member asks while it waits. */
const ASK_MS = 20

/** What one broker took, in the middle of all rounds. */
export interface RebalanceFigures {
  readonly ms: number
  readonly cpuMs: number
}

/** With the classic protocol; the members' part of the work is the same for all brokers. */
export async function classicRebalance(
  target: Target,
  members: number,
  rounds: number,
): Promise<RebalanceFigures> {
  const topic = `classic-${Date.now()}`
  const wires = await Wire.openAll(target, members + 1)
  await prepare(wires[0] as Wire, topic, PARTITIONS)
  const group = wires.map((wire) => new BenchMember(wire, topic, topic))
  const last = group.pop() as BenchMember
  await together(group, topic)
  const times: number[] = []
  const cpuBefore = cpuSeconds(target)
  for (let round = 0; round < rounds; round++) {
    last.memberId = ''
    times.push(await timeOf(() => together([last, ...group], topic)))
    await last.leave()
    times.push(await timeOf(() => together(group, topic)))
  }
  const cpuMs = ((cpuSeconds(target) - cpuBefore) * 1000) / times.length
  for (const wire of wires) wire.close()
  return { ms: median(times), cpuMs }
}

/** Resolves when all of them are members of one generation, each with its part. */
async function together(members: readonly BenchMember[], topic: string): Promise<void> {
  const round = { members: members.length, topic, whole: -1 }
  await Promise.all(members.map((member) => joinInto(round, member)))
}

/** A round of joins; `whole` is the generation that has all members, once there is one. */
interface Round {
  readonly members: number
  readonly topic: string
  whole: number
}

async function joinInto(round: Round, member: BenchMember): Promise<void> {
  for (;;) {
    const { leader, members, generationId } = await member.join()
    const leads = leader === member.memberId
    if (leads && members.length === round.members) round.whole = generationId
    const isMember = await member.sync(leads ? parts(round.topic, members) : [])
    if (!isMember) continue
    while (round.whole !== generationId && (await member.beat())) await sleep(ASK_MS)
    if (round.whole === generationId) return
  }
}

function parts(topic: string, members: readonly { readonly memberId: string }[]) {
  return members.map(({ memberId }, i) => {
    const all = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }))
    const own = all.filter(({ partition }) => partition % members.length === i)
    return { memberId, assignment: encodeAssignment(own) }
  })
}

/** With the consumer protocol: until all have what they are to have, and nobody more. */
export async function consumerRebalance(
  target: Target,
  members: number,
  rounds: number,
): Promise<RebalanceFigures> {
  const topic = `consumer-${Date.now()}`
  const wires = await Wire.openAll(target, members + 1)
  await prepare(wires[0] as Wire, topic, PARTITIONS)
  const group = wires.map((wire) => new Reconciling(wire, topic))
  const last = group.pop() as Reconciling
  await settled(group)
  const times: number[] = []
  const cpuBefore = cpuSeconds(target)
  for (let round = 0; round < rounds; round++) {
    times.push(await timeOf(() => settled([last, ...group])))
    await last.leave()
    times.push(await timeOf(() => settled(group)))
  }
  const cpuMs = ((cpuSeconds(target) - cpuBefore) * 1000) / times.length
  for (const wire of wires) wire.close()
  return { ms: median(times), cpuMs }
}

async function settled(members: readonly Reconciling[]): Promise<void> {
  for (;;) {
    await Promise.all(members.map((member) => member.beat()))
    const owned = members.reduce((sum, member) => sum + member.owned, 0)
    // The broker may compute assignments with a delay: epochs alone say nothing.
    const share = Math.floor(PARTITIONS / members.length)
    if (owned === PARTITIONS && members.every((member) => member.owned >= share)) return
    await sleep(ASK_MS)
  }
}

/** A member of a consumer group that gives up and takes at once what it is told. */
class Reconciling {
  epoch = 0
  readonly #wire: Wire
  readonly #topic: string
  readonly #memberId = newUuid(Math.random)
  #owned: { topicId: string; partitions: number[] }[] = []

  constructor(wire: Wire, topic: string) {
    this.#wire = wire
    this.#topic = topic
  }

  /** Partitions. */
  get owned(): number {
    return this.#owned.reduce((sum, { partitions }) => sum + partitions.length, 0)
  }

  async beat(): Promise<void> {
    const joins = this.epoch === 0
    const answer = await this.#send(this.epoch, joins)
    if (isLoading(answer.errorCode)) return
    expectNone(answer.errorCode, 'ConsumerGroupHeartbeat')
    this.epoch = answer.memberEpoch
    if (answer.assignment === null) return
    this.#owned = answer.assignment.topicPartitions.map(({ topicId, partitions }) => {
      return { topicId, partitions: [...partitions] }
    })
  }

  async leave(): Promise<void> {
    await this.#send(-1, false)
    this.epoch = 0
    this.#owned = []
  }

  #send(memberEpoch: number, joins: boolean): Promise<ResponseOf<typeof ConsumerGroupHeartbeat>> {
    return this.#wire.ask(ConsumerGroupHeartbeat, 1, {
      groupId: this.#topic,
      memberId: this.#memberId,
      memberEpoch,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: joins ? 300_000 : -1,
      subscribedTopicNames: joins ? [this.#topic] : null,
      subscribedTopicRegex: null,
      serverAssignor: null,
      topicPartitions: this.#owned,
    })
  }
}

async function timeOf(work: () => Promise<void>): Promise<number> {
  const beganMs = performance.now()
  await work()
  return performance.now() - beganMs
}
