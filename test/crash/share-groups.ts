/**
 * Members of a share group take records and say what becomes of them while the broker is killed:
 * what was acknowledged never comes again, and everything else does.
 */
import { Metadata } from '../../src/protocol/apis/03-metadata.ts'
import { FindCoordinator } from '../../src/protocol/apis/10-find-coordinator.ts'
import { IncrementalAlterConfigs } from '../../src/protocol/apis/44-incremental-alter-configs.ts'
import { ShareGroupHeartbeat } from '../../src/protocol/apis/76-share-group-heartbeat.ts'
import { ShareFetch } from '../../src/protocol/apis/78-share-fetch.ts'
import { ShareAcknowledge } from '../../src/protocol/apis/79-share-acknowledge.ts'
import { ErrorCode, errorName } from '../../src/protocol/errors.ts'
import { ConnectionLost, type RawConnection } from '../support/raw-connection.ts'
import { pause } from '../support/seeded.ts'
import { offsetOf } from './read-back.ts'
import { Broken, PARTITIONS, type Subject } from './subject.ts'

const TOPIC = 'shared'
const GROUP = 'crash'
const GROUP_RESOURCE = 32
const LATEST = -1
const ROUNDS = 3
const RELEASE = 2
const ACCEPT = 1
const FETCHES_MAX = 10_000
/** Whoever is delivered five times and given back is not delivered again. */
const DELIVERIES = 4

/** Records that a member has. */
interface Taken {
  readonly partition: number
  readonly first: number
  readonly last: number
  readonly deliveryCount: number
}

/** What became of a record, by partition and offset. `asked`: nobody knows whether it was heard. */
type Fate = 'accepted' | 'asked'

/** See above; answers how much was acknowledged. */
export async function shareGroups(subject: Subject): Promise<string> {
  await subject.createTopic(TOPIC)
  const { producers, run } = subject.load(TOPIC, 2)
  await pause(1000)
  for (const producer of producers) producer.stop()
  await run
  await fromTheStart(await subject.connect())
  const fates = new Map<string, Fate>()
  for (let round = 0; round < ROUNDS; round++) {
    const member = new ShareMember(await subject.connect(), fates, `member-${round}`)
    const ended = member.work(subject).catch((error: unknown) => error)
    await pause(subject.random.between(100, 700))
    await subject.kill()
    const error = await ended
    if (error !== undefined) throw error
    await subject.start()
  }
  const last = new ShareMember(await subject.connect(), fates, 'the-last')
  await last.drain()
  await expectAll(subject, fates)
  return `${fates.size} records of a share group`
}

/** Every record was accepted in the end, or was being accepted when the broker was killed. */
async function expectAll(subject: Subject, fates: ReadonlyMap<string, Fate>): Promise<void> {
  const connection = await subject.connect()
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const end = await offsetOf(connection, TOPIC, partition, LATEST)
    for (let offset = 0; offset < end; offset++) {
      if (!fates.has(`${partition}/${offset}`)) {
        throw new Broken(`record ${offset} of partition ${partition} was never delivered`)
      }
    }
  }
  connection.close()
}

async function fromTheStart(connection: RawConnection): Promise<void> {
  const configs = [
    { name: 'share.auto.offset.reset', configOperation: 0, value: 'earliest' },
    { name: 'share.record.lock.duration.ms', configOperation: 0, value: '60000' },
  ]
  const resources = [{ resourceType: GROUP_RESOURCE, resourceName: GROUP, configs }]
  await connection.ask(IncrementalAlterConfigs, 1, { resources })
  connection.close()
}

class ShareMember {
  readonly #connection: RawConnection
  readonly #fates: Map<string, Fate>
  readonly #memberId: string
  #epoch = 0
  #topicId = ''

  constructor(connection: RawConnection, fates: Map<string, Fate>, memberId: string) {
    this.#connection = connection
    this.#fates = fates
    this.#memberId = memberId
  }

  /** Accepts and releases until the broker is gone. */
  async work({ random }: Subject): Promise<void> {
    try {
      await this.#join()
      for (let i = 0; i < FETCHES_MAX; i++) {
        for (const taken of await this.#fetch()) {
          const again = taken.deliveryCount < DELIVERIES && random.chance(0.3)
          await this.#acknowledge(taken, again ? RELEASE : ACCEPT)
        }
      }
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error
    }
  }

  /** Accepts all that is left. */
  async drain(): Promise<void> {
    await this.#join()
    for (let empty = 0; empty < 2; ) {
      const all = await this.#fetch()
      for (const taken of all) await this.#acknowledge(taken, ACCEPT)
      empty = all.length === 0 ? empty + 1 : 0
    }
    this.#connection.close()
  }

  async #join(): Promise<void> {
    await this.#connection.ask(FindCoordinator, 4, { keyType: 0, coordinatorKeys: [GROUP] })
    const answer = await this.#connection.ask(ShareGroupHeartbeat, 1, {
      groupId: GROUP,
      memberId: this.#memberId,
      memberEpoch: 0,
      rackId: null,
      subscribedTopicNames: [TOPIC],
    })
    if (answer.errorCode !== ErrorCode.NONE) throw new Broken(`a join: ${answer.errorCode}`)
    // Whatever the target gives to whom: all partitions have a state now, and may be fetched from.
    const { topics } = await this.#connection.ask(Metadata, 12, { topics: [{ name: TOPIC }] })
    this.#topicId = topics[0]!.topicId
  }

  async #fetch(): Promise<Taken[]> {
    const partitions = Array.from({ length: PARTITIONS }, (_, partitionIndex) => ({
      partitionIndex,
      acknowledgementBatches: [],
    }))
    const answer = await this.#connection.ask(ShareFetch, 2, {
      groupId: GROUP,
      memberId: this.#memberId,
      shareSessionEpoch: this.#epoch++,
      maxWaitMs: 1000,
      minBytes: 1,
      maxBytes: 1_000_000,
      maxRecords: 200,
      batchSize: 50,
      topics: this.#epoch === 1 ? [{ topicId: this.#topicId, partitions }] : [],
      forgottenTopicsData: [],
    })
    if (answer.errorCode !== ErrorCode.NONE) throw new Broken(errorName(answer.errorCode))
    return answer.responses.flatMap(({ partitions: told }) =>
      told.flatMap(({ partitionIndex: partition, errorCode, acquiredRecords }) => {
        if (errorCode !== ErrorCode.NONE) throw new Broken(errorName(errorCode))
        return acquiredRecords.map(({ firstOffset, lastOffset, deliveryCount }) => {
          this.#expectNew(partition, firstOffset, lastOffset)
          return { partition, first: firstOffset, last: lastOffset, deliveryCount }
        })
      }),
    )
  }

  #expectNew(partition: number, first: number, last: number): void {
    for (let offset = first; offset <= last; offset++) {
      if (this.#fates.get(`${partition}/${offset}`) === 'accepted') {
        throw new Broken(`record ${offset} of partition ${partition} came after it was accepted`)
      }
    }
  }

  async #acknowledge({ partition, first, last }: Taken, type: number): Promise<void> {
    if (type === ACCEPT) this.#tell(partition, first, last, 'asked')
    const batch = { firstOffset: first, lastOffset: last, acknowledgeTypes: [type] }
    const answer = await this.#connection.ask(ShareAcknowledge, 2, {
      groupId: GROUP,
      memberId: this.#memberId,
      shareSessionEpoch: this.#epoch++,
      topics: [
        {
          topicId: this.#topicId,
          partitions: [{ partitionIndex: partition, acknowledgementBatches: [batch] }],
        },
      ],
    })
    const errorCode = answer.errorCode || answer.responses[0]?.partitions[0]?.errorCode
    if (errorCode) throw new Broken(`an acknowledgement: ${errorName(errorCode)}`)
    if (type === ACCEPT) this.#tell(partition, first, last, 'accepted')
  }

  #tell(partition: number, first: number, last: number, fate: Fate): void {
    for (let offset = first; offset <= last; offset++) {
      this.#fates.set(`${partition}/${offset}`, fate)
    }
  }
}
