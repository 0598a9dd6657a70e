/**
 * A broker that does as a test tells it: it keeps a log with the rules of idempotence, and each
 * Produce request may meet a misfortune of the test's choice. One node, topic ids unknown.
 */
import { createServer, type Server, type Socket } from 'node:net'
import type { MessagePort } from 'node:worker_threads'
import { PortConnections } from '../../src/net/port-connections.ts'
import { PortSocket } from '../../src/net/port-socket.ts'
import { Produce } from '../../src/protocol/apis/00-produce.ts'
import { Metadata } from '../../src/protocol/apis/03-metadata.ts'
import { ApiVersions } from '../../src/protocol/apis/18-api-versions.ts'
import { InitProducerId } from '../../src/protocol/apis/22-init-producer-id.ts'
import { decodeRequest, encodeResponse } from '../../src/protocol/compile.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import { decodeRequestHeader, encodeResponseHeader } from '../../src/protocol/header.ts'
import * as batch from '../../src/protocol/record-batch.ts'
import type { Api, ResponseInput } from '../../src/protocol/schema.ts'
import { Writer } from '../../src/protocol/writer.ts'

/** What happens to a Produce request. `code`: instead of writing. */
export type Misfortune =
  | 'none'
  | 'hangUpBefore'
  | 'hangUpAfter'
  | 'silentBefore'
  | { readonly code: number }

const served: readonly Api[] = [Produce, Metadata, ApiVersions, InitProducerId]
const PRODUCE_VERSION = 9
const METADATA_VERSION = 8

interface PartitionLog {
  readonly values: string[]
  readonly producers: Map<number, { epoch: number; next: number; recent: string[] }>
}

export class FakeBroker {
  port = 0
  /** Highest version of ApiVersions that it knows. */
  apiVersionsMax = 4
  partitionCount = 1
  /** Topics that do not exist yet. */
  readonly missing = new Set<string>()
  /** Produce requests so far. */
  requests = 0
  initProducerIds = 0
  connections = 0
  /** Decides over request number `n`, from 0. */
  misfortune: (n: number) => Misfortune = () => 'none'
  readonly #logs = new Map<string, PartitionLog>()
  readonly #sockets = new Set<Socket | PortSocket>()
  readonly #ports = new PortConnections()
  readonly #server: Server = createServer((socket) => this.#serve(socket))
  readonly #writer = new Writer()

  static async start(): Promise<FakeBroker> {
    const broker = new FakeBroker()
    await new Promise<void>((resolve) => {
      broker.#server.listen(0, '127.0.0.1', () => resolve())
    })
    broker.port = (broker.#server.address() as { port: number }).port
    return broker
  }

  /** A port for one client, as of a broker in process. */
  connect(): MessagePort {
    const { client, server, wiring } = this.#ports.connect()
    this.#servePort(new PortSocket(server, wiring))
    return client
  }

  /** Reads nothing that clients send until `resume`. */
  pause(): void {
    for (const socket of this.#sockets) socket.pause()
  }

  resume(): void {
    for (const socket of this.#sockets) socket.resume()
  }

  /** The values of a partition in order. */
  values(topic: string, partition = 0): readonly string[] {
    return this.#logOf(topic, partition).values
  }

  async stop(): Promise<void> {
    this.hangUp()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** Closes all connections. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #logOf(topic: string, partition: number): PartitionLog {
    const key = `${topic}-${partition}`
    let log = this.#logs.get(key)
    if (log === undefined) {
      log = { values: [], producers: new Map() }
      this.#logs.set(key, log)
    }
    return log
  }

  #servePort(socket: PortSocket): void {
    const take = this.#admit(socket)
    socket.onBytes((bytes) => take(bytes))
    socket.onLane((port, wiring) => this.#servePort(new PortSocket(port, wiring)))
    socket.resume()
  }

  #serve(socket: Socket): void {
    socket.on('data', this.#admit(socket))
  }

  /** Who takes the bytes of a new connection. */
  #admit(socket: Socket | PortSocket): (chunk: Buffer) => void {
    this.connections++
    this.#sockets.add(socket)
    let rest: Buffer = Buffer.alloc(0)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => {})
    return (chunk) => {
      rest = Buffer.concat([rest, chunk])
      while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
        const end = 4 + rest.readInt32BE(0)
        const frame = rest.subarray(4, end)
        rest = rest.subarray(end)
        if (!socket.destroyed) this.#onFrame(socket, frame)
      }
    }
  }

  #onFrame(socket: Socket | PortSocket, frame: Buffer): void {
    const header = decodeRequestHeader(frame, 0, (key, version) => {
      return version >= (served.find((api) => api.key === key)?.flexibleFrom ?? 0)
    })
    const { apiKey, apiVersion, correlationId, bodyAt } = header
    const reply = <A extends Api>(api: A, version: number, body: ResponseInput<A>) => {
      this.#writer.startFrame()
      encodeResponseHeader(this.#writer, api, version, correlationId)
      encodeResponse(api, version, body, this.#writer)
      socket.write(Buffer.concat(this.#writer.finishFrame()))
    }
    if (apiKey === ApiVersions.key) this.#apiVersions(apiVersion, reply)
    else if (apiKey === Metadata.key) {
      const { topics } = decodeRequest(Metadata, apiVersion, frame, bodyAt)
      reply(Metadata, apiVersion, this.#metadata((topics ?? []).map(({ name }) => name ?? '')))
    } else if (apiKey === InitProducerId.key) {
      const producerId = 1000 + this.initProducerIds++
      reply(InitProducerId, apiVersion, { producerId, producerEpoch: 0 })
    } else {
      const body = decodeRequest(Produce, apiVersion, frame, bodyAt)
      const what = this.misfortune(this.requests++)
      if (what === 'silentBefore') return
      if (what === 'hangUpBefore') return void socket.destroy()
      const responses = body.topicData.map(({ name, partitionData }) => ({
        name,
        partitionResponses: partitionData.map(({ index, records }) => ({
          index,
          ...(typeof what === 'object'
            ? { errorCode: what.code, baseOffset: -1 }
            : this.#append(this.#logOf(name, index), records as Buffer)),
        })),
      }))
      if (what === 'hangUpAfter') socket.destroy()
      else if (body.acks !== 0) reply(Produce, apiVersion, { responses })
    }
  }

  #apiVersions(
    version: number,
    reply: (
      api: typeof ApiVersions,
      version: number,
      body: ResponseInput<typeof ApiVersions>,
    ) => void,
  ): void {
    const apiKeys = served.map((api) => {
      const most = { [Produce.key]: PRODUCE_VERSION, [Metadata.key]: METADATA_VERSION }[api.key]
      return {
        apiKey: api.key,
        minVersion: api.versions[0],
        maxVersion: api === ApiVersions ? this.apiVersionsMax : (most ?? api.latestStable),
      }
    })
    if (version <= this.apiVersionsMax) reply(ApiVersions, version, { apiKeys })
    else reply(ApiVersions, 0, { errorCode: ErrorCode.UNSUPPORTED_VERSION, apiKeys })
  }

  #metadata(names: readonly string[]): ResponseInput<typeof Metadata> {
    return {
      brokers: [{ nodeId: 1, host: '127.0.0.1', port: this.port }],
      controllerId: 1,
      topics: names.map((name) => {
        if (this.missing.has(name)) {
          return { name, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
        }
        const partitions = Array.from({ length: this.partitionCount }, (_, partitionIndex) => ({
          partitionIndex,
          leaderId: 1,
          leaderEpoch: 0,
          replicaNodes: [1],
          isrNodes: [1],
        }))
        return { name, partitions }
      }),
    }
  }

  /** The rules of ProducerStateManager, but for the transactions. */
  #append(log: PartitionLog, bytes: Buffer): { errorCode: number; baseOffset: number } {
    const producerId = batch.producerId(bytes, 0)
    const baseOffset = log.values.length
    if (producerId >= 0) {
      const epoch = batch.producerEpoch(bytes, 0)
      const first = batch.baseSequence(bytes, 0)
      const count = batch.recordsCount(bytes, 0)
      let state = log.producers.get(producerId)
      if (state === undefined) {
        state = { epoch, next: first, recent: [] }
        log.producers.set(producerId, state)
      }
      const refused = (errorCode: number) => ({ errorCode, baseOffset: -1 })
      if (epoch < state.epoch) return refused(ErrorCode.INVALID_PRODUCER_EPOCH)
      if (epoch > state.epoch) {
        if (first !== 0) return refused(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
        state.epoch = epoch
        state.next = 0
        state.recent.length = 0
      }
      const known = state.recent.find((one) => one.startsWith(`${first} ${count} `))
      if (known !== undefined) return { errorCode: 0, baseOffset: Number(known.split(' ')[2]) }
      if (first !== state.next) return refused(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
      state.next = first + count
      state.recent.push(`${first} ${count} ${baseOffset}`)
      if (state.recent.length > 5) state.recent.shift()
    }
    const cursor = new batch.RecordCursor()
    cursor.reset(bytes, batch.RECORD_BATCH_OVERHEAD, bytes.length, batch.recordsCount(bytes, 0))
    while (cursor.next()) log.values.push(String(cursor.value()))
    return { errorCode: 0, baseOffset }
  }
}
