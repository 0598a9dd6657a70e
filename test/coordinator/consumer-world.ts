/**
 * A group coordinator with a log in memory and a clock that stands still: what the tests of
 * consumer groups drive.
 */
import { regexEngine } from '../../src/actors/regex-engine.ts'
import type { NewTopic } from '../../src/cluster/commands.ts'
import type { ClusterImage } from '../../src/cluster/image.ts'
import { effectiveGroup, groupDefaults } from '../../src/config/effective.ts'
import type {
  CommandOf,
  GroupAnswers,
  GroupCommand,
  GroupCommandKind,
} from '../../src/coordinator/group/commands.ts'
import { GroupService } from '../../src/coordinator/group/service.ts'
import type { CoordinatorRecord, EncodedRecord } from '../../src/coordinator/runtime.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import { consumerOffsetsRecords } from '../../src/protocol/records/consumer-offsets.ts'
import { decodeKey, decodeValue, recordTypeOf } from '../../src/protocol/records/record.ts'
import { addTopic, emptyImage } from '../support/cluster.ts'
import { Seeded } from '../support/seeded.ts'
import { MemoryShareStates } from './memory-share-states.ts'

/** One partition holds all groups. */
const PARTITION = 0

export class ConsumerWorld {
  readonly image: ClusterImage
  /** All batches since the beginning. */
  readonly log: EncodedRecord[] = []
  service: GroupService
  /** Both clocks. */
  nowMs = 1_000_000
  /** What the next append answers instead of writing. */
  nextAppend: ErrorCode = ErrorCode.NONE
  readonly shareStates = new MemoryShareStates()
  /** Why groups can create no topics now. */
  topicFailure: string | undefined
  readonly #random = new Seeded(1)

  constructor(configs: Readonly<Record<string, string>> = {}) {
    this.image = emptyImage({ configs })
    this.service = this.#start()
  }

  addTopic(name: string, partitions: number): void {
    addTopic(this.image, name, { partitions })
  }

  growTopic(name: string, partitions: number): void {
    const topic = this.image.topic(name)!
    const firstIndex = topic.partitions.length
    this.image.apply({
      kind: 'partitions-added',
      name,
      id: topic.id,
      firstIndex,
      partitions: Array.from({ length: partitions - firstIndex }, (_, i) => ({
        slot: this.image.nextSlot + i,
        createdAtStart: this.image.startCount,
      })),
    })
  }

  deleteTopic(name: string): void {
    const { id } = this.image.topic(name)!
    this.image.apply({ kind: 'topic-deleted', name, id })
  }

  setGroupConfig(group: string, configs: Readonly<Record<string, string>>): void {
    this.image.apply({ kind: 'group-configs-set', group, configs: Object.entries(configs) })
  }

  /** Sends a request; the answer may come later. */
  send<K extends GroupCommandKind>(
    kind: K,
    request: CommandOf<K>['request'],
    answer: (response: GroupAnswers[K]) => void,
    options: { apiVersion?: number; clientId?: string; connection?: string | undefined } = {},
  ): void {
    const { apiVersion = 1, clientId = 'client', connection } = options
    const command = { kind, apiVersion, clientId, clientHost: '/127.0.0.1', connection, request }
    this.service.onCommand(command as unknown as GroupCommand, answer as (answer: unknown) => void)
  }

  /** Sends a request that is answered at once. */
  call<K extends GroupCommandKind>(
    kind: K,
    request: CommandOf<K>['request'],
    options?: { apiVersion?: number; clientId?: string; connection?: string | undefined },
  ): GroupAnswers[K] {
    let response: GroupAnswers[K] | undefined
    this.send(
      kind,
      request,
      (answer) => {
        response = answer
      },
      options,
    )
    if (response === undefined) throw new Error(`${kind} was not answered at once`)
    return response
  }

  /** A connection ends; `by`: who closed it, or `thread` for one that died with its thread. */
  close(connection: string, by: string): void {
    if (by === 'thread') this.service.lost.onThreadLost(Number(connection.split(':')[0]))
    else this.service.lost.onClosed(connection, by === 'broker' ? 'broker' : 'client')
  }

  /** Time passes; what falls due on the way happens a tenth of a second late at most. */
  tick(ms: number): void {
    const end = this.nowMs + ms
    while (this.nowMs < end) {
      this.nowMs = Math.min(this.nowMs + 100, end)
      this.service.runtime.advance()
    }
  }

  /** The coordinator starts again from its log. */
  restart(): void {
    this.service = this.#start()
  }

  /** As restart, but for the canaries of simulations: the newest records were never written. */
  restartWithout(records: number): void {
    this.log.length = Math.max(0, this.log.length - records)
    this.restart()
  }

  /** The records that were written after the first `from` of them. */
  records(from = 0): CoordinatorRecord[] {
    return this.log.slice(from).map(decodeRecord)
  }

  #createTopics(
    topics: readonly NewTopic[],
    done: (failures: ReadonlyMap<string, string>) => void,
  ): void {
    const { topicFailure } = this
    if (topicFailure !== undefined) {
      done(new Map(topics.map(({ name }) => [name, topicFailure])))
      return
    }
    for (const { name, numPartitions } of topics) this.addTopic(name, numPartitions)
    done(new Map())
  }

  #start(): GroupService {
    const defaults = groupDefaults(this.image.brokerConfig)
    const service = new GroupService({
      image: this.image,
      random: () => this.#random.next(),
      regexEngine: () => regexEngine,
      groupConfig: (groupId) => {
        const own = this.image.groupConfigs.get(groupId)
        return own === undefined ? defaults : effectiveGroup(own, defaults)
      },
      createTopics: (topics, done) => this.#createTopics(topics, done),
      shareStates: this.shareStates,
      now: () => ({ wallMs: this.nowMs, monotonicMs: this.nowMs }),
      host: {
        append: (_, { records }, done) => {
          const outcome = this.nextAppend
          this.nextAppend = ErrorCode.NONE
          if (outcome === ErrorCode.NONE) this.log.push(...records)
          done(outcome)
        },
        appendMarker: (_, __, done) => done(ErrorCode.NONE),
        reload: () => undefined,
      },
    })
    service.coordinator.partitionCount = 1
    service.runtime.beginLoad(PARTITION)
    for (const record of this.log) service.runtime.replay(PARTITION, decodeRecord(record), -1)
    service.runtime.finishLoad(PARTITION)
    return service
  }
}

function decodeRecord({ key, value }: EncodedRecord): CoordinatorRecord {
  const schema = consumerOffsetsRecords.get(recordTypeOf(key))!
  return {
    schema,
    key: decodeKey(schema, key),
    value: value === null ? null : decodeValue(schema, value),
    version: 0,
  }
}
