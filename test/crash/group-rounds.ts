/**
 * Groups whose broker is killed in the middle of joins, syncs and commits. Four kinds of group run
 * side by side on one topic, and one kill hits them all.
 */
import type { ConsumerSettings } from '../../src/client/consumer-options.ts'
import { Producer } from '../../src/client/producer.ts'
import { OffsetFetch } from '../../src/protocol/apis/09-offset-fetch.ts'
import { ErrorCode, errorName } from '../../src/protocol/errors.ts'
import { pause, type Seeded } from '../support/seeded.ts'
import { GroupLedger } from './group-ledger.ts'
import { CrashMember, SESSION_MS } from './group-member.ts'
import { Broken, PARTITIONS, type Subject } from './subject.ts'

const TOPIC = 'groups'
const MEMBERS_MIN = 2
const MEMBERS_MAX = 5
const FEED_MS = 50
/** Above the session: joins, syncs and fetches of a machine that does other things as well. */
const GRACE_MS = 10_000
const LOOK_MS = 50

/** What the broker is started with beside the settings of all crash tests. */
export const GROUP_CONFIGS: Readonly<Record<string, string>> = {
  'group.consumer.min.session.timeout.ms': String(SESSION_MS),
  'group.consumer.session.timeout.ms': String(SESSION_MS),
  'group.consumer.min.heartbeat.interval.ms': '300',
  'group.consumer.heartbeat.interval.ms': '300',
  'group.consumer.migration.policy': 'bidirectional',
}

const classic: ConsumerSettings = { groupProtocol: 'classic' }
const consumer: ConsumerSettings = { groupProtocol: 'consumer' }

/** The settings of the members of each kind of group, which take them in turn. */
const KINDS: Readonly<Record<string, readonly ConsumerSettings[]>> = {
  eager: [{ ...classic, partitionAssignmentStrategy: ['range'] }],
  cooperative: [{ ...classic, partitionAssignmentStrategy: ['cooperative-sticky'] }],
  consumer: [consumer],
  mixed: [{ ...classic, partitionAssignmentStrategy: ['range'] }, consumer],
}

/** Lives as long as one data directory. */
export class CrashGroups {
  readonly #subject: Subject
  readonly #producer: Producer
  readonly #groups: CrashGroup[]
  #feeding: Promise<void> | undefined
  #ended = false

  /** The broker of `subject` has started, and its topic is made by `begin`. */
  constructor(subject: Subject) {
    const port = subject.port ?? 0
    this.#subject = subject
    this.#producer = new Producer({ bootstrapServers: `127.0.0.1:${port}` })
    this.#groups = Object.entries(KINDS).map(([kind, settings]) => {
      return new CrashGroup(kind, settings, port, subject.random.fork())
    })
  }

  async begin(): Promise<void> {
    await this.#subject.createTopic(TOPIC)
    this.#feeding = this.#feed()
    for (const group of this.#groups) for (let i = 0; i < MEMBERS_MIN; i++) group.join()
    await this.#settle()
  }

  /** Members come and go, the broker is killed in between, and everybody reads again. */
  async round(): Promise<string> {
    const { random } = this.#subject
    const done = this.#groups.map((group) => group.disturb())
    const kills = random.chance(0.3) ? 2 : 1
    for (let i = 0; i < kills; i++) {
      await pause(random.chance(0.5) ? random.between(0, 60) : random.between(60, 900))
      await this.#subject.kill()
      await this.#subject.start()
    }
    const began = performance.now()
    await this.#checkCommits()
    await this.#settle()
    const ms = Math.round(performance.now() - began)
    const what = this.#groups.map(({ name }, i) => `${name} ${done[i]}`).join(', ')
    return `${kills} kills; ${what}; all read again after ${ms} ms`
  }

  /** All of it stops; rejects if a rule was broken. */
  async end(): Promise<void> {
    this.#ended = true
    await this.#feeding
    await Promise.all(this.#groups.map((group) => group.end()))
    await this.#producer.close({ timeoutMs: 2000 })
    this.#throwBroken()
  }

  /** A record for each partition, again and again. */
  async #feed(): Promise<void> {
    for (let i = 0; !this.#ended; i++) {
      const messages = Array.from({ length: PARTITIONS }, (_, partition) => {
        return { partition, value: `${i}` }
      })
      // The broker is killed: what gets lost then is of no interest here.
      await this.#producer.send({ topic: TOPIC, messages }).catch(() => {})
      await pause(FEED_MS)
    }
  }

  /** What was acknowledged is there, as somebody finds who is no member. */
  async #checkCommits(): Promise<void> {
    const connection = await this.#subject.connect()
    for (const { ledger } of this.#groups) {
      const indexes = Array.from({ length: PARTITIONS }, (_, i) => i)
      const known = indexes.map((partition) => ledger.acknowledgedOf(partition))
      const topics = [{ name: TOPIC, partitionIndexes: indexes }]
      for (;;) {
        const { groups } = await connection.ask(OffsetFetch, 8, {
          groups: [{ groupId: ledger.group, topics }],
          requireStable: true,
        })
        const { errorCode = -1, topics: found = [] } = groups[0] ?? {}
        if (errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS) {
          await pause(LOOK_MS)
          continue
        }
        if (errorCode !== ErrorCode.NONE) throw new Broken(`OffsetFetch: ${errorName(errorCode)}`)
        for (const { partitionIndex, committedOffset } of found[0]?.partitions ?? []) {
          ledger.holds(partitionIndex, committedOffset, known[partitionIndex] ?? -1)
        }
        break
      }
    }
    connection.close()
  }

  /** Until each member has committed anew, and all of them together own each partition once. */
  async #settle(): Promise<void> {
    const deadlineMs = performance.now() + SESSION_MS + GRACE_MS
    const commits = new Map<CrashMember, number>()
    const members = this.#groups.flatMap((group) => group.members)
    for (const member of members) commits.set(member, member.commits)
    for (;;) {
      this.#throwBroken()
      const waiting = this.#groups.filter((group) => !group.hasSettled(commits))
      if (waiting.length === 0) return
      if (performance.now() > deadlineMs) {
        throw new Broken(`not all read again: ${waiting.map(String).join('; ')}`)
      }
      // Rejects with what ended a member.
      await Promise.race([pause(LOOK_MS), ...members.map(({ ended }) => ended)])
    }
  }

  #throwBroken(): void {
    const broken = this.#groups.flatMap(({ ledger }) => ledger.broken)
    if (broken.length > 0) throw new Broken(broken.join('\n'))
  }
}

class CrashGroup {
  readonly name: string
  readonly ledger: GroupLedger
  readonly members: CrashMember[] = []
  readonly #settings: readonly ConsumerSettings[]
  readonly #port: number
  readonly #random: Seeded
  readonly #gone: Promise<void>[] = []
  #made = 0

  constructor(name: string, settings: readonly ConsumerSettings[], port: number, random: Seeded) {
    this.name = name
    this.ledger = new GroupLedger(name)
    this.#settings = settings
    this.#port = port
    this.#random = random
  }

  join(): void {
    const number = this.#made++
    this.members.push(
      new CrashMember({
        name: `${this.name}-${number}`,
        port: this.#port,
        topic: TOPIC,
        settings: this.#settings[number % this.#settings.length] ?? classic,
        ledger: this.ledger,
        random: this.#random.fork(),
      }),
    )
  }

  /** Begins what makes the group rebalance, or nothing. */
  disturb(): string {
    const { length } = this.members
    const dice = this.#random.next()
    if (dice < 0.2) return 'commits'
    if (length < MEMBERS_MAX && (dice < 0.6 || length <= MEMBERS_MIN)) {
      this.join()
      return 'joins'
    }
    const [one] = this.members.splice(this.#random.between(0, length - 1), 1) as [CrashMember]
    const leaves = dice < 0.8
    const gone = leaves ? one.leave() : one.die()
    gone.catch(() => {})
    this.#gone.push(gone)
    return leaves ? 'leaves' : 'dies'
  }

  /** `commits`: how many each member had. */
  hasSettled(commits: ReadonlyMap<CrashMember, number>): boolean {
    const owned = this.members.flatMap((member) => member.owned)
    const isWhole = owned.length === PARTITIONS && new Set(owned).size === PARTITIONS
    return isWhole && this.members.every((one) => one.commits > (commits.get(one) ?? 0))
  }

  async end(): Promise<void> {
    await Promise.allSettled([...this.members.map((member) => member.die()), ...this.#gone])
  }

  toString(): string {
    const members = this.members.map(({ name, owned, commits }) => {
      return `${name} has ${owned.join()} and ${commits} commits`
    })
    return `${this.name} (${members.join(', ')})`
  }
}
