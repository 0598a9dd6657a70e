/** One of the two brokers: its connection, and what it calls by names of its own. */
import { ZERO_UUID } from '../../../src/base/uuid.ts'
import { Metadata } from '../../../src/protocol/apis/03-metadata.ts'
import { FindCoordinator } from '../../../src/protocol/apis/10-find-coordinator.ts'
import { ApiVersions } from '../../../src/protocol/apis/18-api-versions.ts'
import { InitProducerId } from '../../../src/protocol/apis/22-init-producer-id.ts'
import { DescribeConfigs } from '../../../src/protocol/apis/32-describe-configs.ts'
import { IncrementalAlterConfigs } from '../../../src/protocol/apis/44-incremental-alter-configs.ts'
import { RawClient, requestFrame, responseBody } from '../../support/raw-client.ts'
import type { Case } from './case.ts'

/** How a broker answered. */
export type Outcome =
  | { readonly kind: 'answer'; readonly answer: unknown }
  | { readonly kind: 'closed' }
  | { readonly kind: 'silent' }
  /** Neither an answer nor a hang-up. */
  | { readonly kind: 'hanging' }
  | { readonly kind: 'unreadable'; readonly hex: string }

const PROBE = 0x70726f62
const ANSWER_MS_MAX = 10_000
const HANGING_MS_MAX = 1000
const TOPIC = 2
const SET = 0

export class Side {
  readonly port: number
  /** Topic ids by name and names by id, as of the last change of metadata. */
  readonly idOf = new Map<string, string>()
  readonly nameOf = new Map<string, string>()
  /** The fetch session that the scenario under way opened. */
  sessionId = 0
  #client: RawClient | undefined
  #barriers = 0

  constructor(port: number) {
    this.port = port
  }

  /** The id of a topic; that of nobody when there is no such topic. */
  topicId(name: string): string {
    return this.idOf.get(name) ?? ZERO_UUID
  }

  async connection(): Promise<RawClient> {
    if (this.#client === undefined || this.#client.closed) {
      this.#client = await RawClient.connect(this.port)
    }
    return this.#client
  }

  /** Sends a case and says how it was answered. Throws UnsupportedFieldVersion. */
  async send(one: Case): Promise<Outcome> {
    const body = one.body(this) as never
    const frame = requestFrame(one.api, one.version, body, { clientId: one.clientId })
    const client = await this.connection()
    client.send(one.spoil ? one.spoil(frame) : frame)
    // Behind a request that gets no answer, the answer to another one tells that none will come.
    if (one.silent) client.send(requestFrame(ApiVersions, 0, {}, { correlationId: PROBE }))
    let answer: Buffer | undefined
    try {
      answer = await client.nextFrame(one.hangsKafka ? HANGING_MS_MAX : ANSWER_MS_MAX)
    } catch {
      client.close()
      return { kind: 'hanging' }
    }
    if (answer === undefined) return { kind: 'closed' }
    if (one.silent) {
      if (answer.readInt32BE(0) === PROBE) return { kind: 'silent' }
      await client.nextFrame()
    }
    return readOutcome(one, answer)
  }

  /** Returns once the broker acts on all metadata that it acknowledged. `topic` has to be there. */
  async barrier(topic: string): Promise<void> {
    // A change seen in the second round was published after all changes of the first were applied.
    await this.#pass(topic)
    await this.#pass(topic)
    await this.learnTopics()
  }

  /** Returns once the broker has producer ids and coordinates groups; Kafka begins when asked. */
  async warmUp(): Promise<void> {
    const client = await this.connection()
    const body = { transactionalId: null, transactionTimeoutMs: 1000 }
    for (;;) {
      const answer = await client.request(InitProducerId, 4, body)
      if (answer?.errorCode === 0) break
    }
    for (;;) {
      const answer = await client.request(FindCoordinator, 4, {
        keyType: 0,
        coordinatorKeys: ['g'],
      })
      if (answer?.coordinators[0]?.errorCode === 0) return
    }
  }

  async learnTopics(): Promise<void> {
    const client = await this.connection()
    const answer = await client.request(Metadata, 12, { topics: null })
    this.idOf.clear()
    for (const { name, topicId } of answer?.topics ?? []) {
      if (name === null) continue
      this.idOf.set(name, topicId)
      this.nameOf.set(topicId, name)
    }
  }

  close(): void {
    this.#client?.close()
  }

  async #pass(topic: string): Promise<void> {
    const client = await this.connection()
    const name = 'file.delete.delay.ms'
    const value = String(60_000 + ++this.#barriers)
    const resource = { resourceType: TOPIC, resourceName: topic }
    const altered = await client.request(IncrementalAlterConfigs, 0, {
      resources: [{ ...resource, configs: [{ name, configOperation: SET, value }] }],
    })
    if (altered?.responses[0]?.errorCode !== 0) throw new Error(`no barrier on ${topic}`)
    for (;;) {
      const described = await client.request(DescribeConfigs, 1, {
        resources: [{ ...resource, configurationKeys: [name] }],
      })
      if (described?.results[0]?.configs[0]?.value === value) return
    }
  }
}

function readOutcome(one: Case, frame: Buffer): Outcome {
  try {
    return {
      kind: 'answer',
      answer: responseBody(one.api, one.answerVersion, Buffer.from(frame)),
    }
  } catch (error) {
    return { kind: 'unreadable', hex: `${(error as Error).message}: ${frame.toString('hex')}` }
  }
}
