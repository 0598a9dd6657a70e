/**
 * A connection for load: frames that are encoded once and sent again and again, so that the broker
 * and not its client is what the machine is busy with.
 */
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { ListOffsets } from '../../src/protocol/apis/02-list-offsets.ts'
import { FindCoordinator } from '../../src/protocol/apis/10-find-coordinator.ts'
import { CreateTopics } from '../../src/protocol/apis/19-create-topics.ts'
import { decodeResponse, encodeRequest } from '../../src/protocol/compile.ts'
import { ErrorCode, errorName } from '../../src/protocol/errors.ts'
import { decodeResponseHeader, encodeRequestHeader } from '../../src/protocol/header.ts'
import type { Api, RequestInput, ResponseOf } from '../../src/protocol/schema.ts'
import { Writer } from '../../src/protocol/writer.ts'
import type { Target } from './target.ts'

const SIZE_BYTES = 4
const OPEN_AT_ONCE = 20

/** A request with its size, ready to be sent. */
export function frameOf<A extends Api>(api: A, version: number, request: RequestInput<A>): Buffer {
  const writer = new Writer()
  writer.startFrame()
  encodeRequestHeader(writer, api, version, { correlationId: 0, clientId: 'bench' })
  encodeRequest(api, version, request, writer)
  return Buffer.concat(writer.finishFrame())
}

/** An answer without its size. */
export function answerOf<A extends Api>(api: A, version: number, frame: Buffer): ResponseOf<A> {
  const { bodyAt } = decodeResponseHeader(frame, 0, api, version)
  return decodeResponse(api, version, frame, bodyAt)
}

export class Wire {
  readonly #socket: net.Socket
  readonly #waiting: ((frame: Buffer) => void)[] = []
  #rest: Buffer | undefined

  private constructor(socket: net.Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#onData(chunk))
    socket.on('error', (error) => {
      throw error
    })
    socket.on('end', () => {
      throw new Error('the broker has closed a connection')
    })
  }

  static open({ port }: Target): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ port, host: '127.0.0.1' })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new Wire(socket))
      })
    })
  }

  /** A few at a time: what a listener has not accepted yet is limited. */
  static async openAll(target: Target, count: number): Promise<Wire[]> {
    const wires: Wire[] = []
    while (wires.length < count) {
      const some = Math.min(OPEN_AT_ONCE, count - wires.length)
      wires.push(...(await Promise.all(Array.from({ length: some }, () => Wire.open(target)))))
    }
    return wires
  }

  /** `answered` is given the answer without its size; answers come in order. */
  send(frame: Buffer, answered: (frame: Buffer) => void): void {
    this.#waiting.push(answered)
    this.#socket.write(frame)
  }

  ask<A extends Api>(api: A, version: number, request: RequestInput<A>): Promise<ResponseOf<A>> {
    return new Promise((resolve) => {
      this.send(frameOf(api, version, request), (frame) => resolve(answerOf(api, version, frame)))
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #onData(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    while (bytes.length - at >= SIZE_BYTES) {
      const end = at + SIZE_BYTES + bytes.readInt32BE(at)
      if (end > bytes.length) break
      this.#waiting.shift()?.(bytes.subarray(at + SIZE_BYTES, end))
      at = end
    }
    this.#rest = at === bytes.length ? undefined : bytes.subarray(at)
  }
}

/** Makes a topic and waits until groups are served. */
export async function prepare(
  wire: Wire,
  name: string,
  numPartitions: number,
  configs: Readonly<Record<string, string>> = {},
): Promise<void> {
  const list = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
  const topic = { name, numPartitions, replicationFactor: 1, configs: list }
  const made = await wire.ask(CreateTopics, 5, { topics: [topic], timeoutMs: 60_000 })
  expectNone(made.topics[0]?.errorCode ?? -1, `CreateTopics ${name}`)
  // Kafka answers before the partitions are there.
  const partitions = Array.from({ length: numPartitions }, (_, partitionIndex) => {
    return { partitionIndex, timestamp: -1 }
  })
  for (;;) {
    const found = await wire.ask(ListOffsets, 5, { replicaId: -1, topics: [{ name, partitions }] })
    const all = found.topics[0]?.partitions ?? []
    if (all.every(({ errorCode }) => errorCode === ErrorCode.NONE)) break
    await sleep(20)
  }
  for (;;) {
    const found = await wire.ask(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['bench'] })
    if (found.coordinators[0]?.errorCode === ErrorCode.NONE) return
    await sleep(100)
  }
}

/** Whether the coordinator's topic was just made, so that one has to ask again. */
export function isLoading(errorCode: number): boolean {
  const { NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS } = ErrorCode
  return errorCode === NOT_COORDINATOR || errorCode === COORDINATOR_LOAD_IN_PROGRESS
}

export function expectNone(errorCode: number, what: string): void {
  if (errorCode !== ErrorCode.NONE) throw new Error(`${what}: ${errorName(errorCode)}`)
}

/** The middle one. */
export function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] as number
}
