/**
 * The first send of a process runs code that V8 has yet to compile, for ten milliseconds and more.
 * A thread that waits for its first broker has that time: a producer sends one record to a stand-in
 * of this thread, over a connection like those of brokers.
 */
import { PortConnections } from '../net/port-connections.ts'
import { PortSocket } from '../net/port-socket.ts'
import { Produce } from '../protocol/apis/00-produce.ts'
import { Metadata } from '../protocol/apis/03-metadata.ts'
import { ApiVersions } from '../protocol/apis/18-api-versions.ts'
import { InitProducerId } from '../protocol/apis/22-init-producer-id.ts'
import { encodeResponse } from '../protocol/compile.ts'
import { decodeRequestHeader, encodeResponseHeader } from '../protocol/header.ts'
import type { Api, ResponseInput } from '../protocol/schema.ts'
import { Writer } from '../protocol/writer.ts'
import { FrameReader } from './frame-reader.ts'
import { Producer } from './producer.ts'

const RING_BYTES = 32 * 1024
const FRAME_BYTES_MAX = 16 * 1024
/** For a stand-in that does not know its script. */
const limits = { maxBlockMs: 1000, deliveryTimeoutMs: 1000, requestTimeoutMs: 500 }
const TOPIC = 'rehearsal'
const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'

/** What the stand-in says to whatever it is asked. */
interface Line<A extends Api = Api> {
  readonly api: A
  readonly response: ResponseInput<A>
}

const script: readonly Line[] = [
  line(ApiVersions, {
    apiKeys: [ApiVersions, InitProducerId, Metadata, Produce].map((api) => {
      const [minVersion] = api.versions
      return { apiKey: api.key, minVersion, maxVersion: api.latestStable }
    }),
  }),
  line(InitProducerId, { producerId: 0, producerEpoch: 0 }),
  line(Metadata, {
    brokers: [{ nodeId: 0, host: 'localhost' }],
    topics: [{ name: TOPIC, topicId: TOPIC_ID, partitions: [{ partitionIndex: 0, leaderId: 0 }] }],
  }),
  line(Produce, { responses: [{ topicId: TOPIC_ID, partitionResponses: [{ index: 0 }] }] }),
]

function line<A extends Api>(api: A, response: ResponseInput<A>): Line {
  return { api, response } as unknown as Line
}

/**
 * Resolves when nothing of it is left, which takes a second at most; false: it did not go to its
 * end.
 */
export async function rehearseProducer(): Promise<boolean> {
  const connections = new PortConnections({ toServer: RING_BYTES, toClient: RING_BYTES })
  const { client, server, wiring } = connections.connect()
  const standIn = new PortSocket(server, wiring)
  const frames = new FrameReader(FRAME_BYTES_MAX, (bytes, from, to) => {
    const answer = answerTo(bytes.subarray(from, to))
    if (answer === undefined) standIn.destroy()
    else standIn.write(answer)
  })
  standIn.onBytes((bytes) => frames.push(bytes))
  standIn.resume()
  const producer = new Producer({ port: client, ...limits })
  try {
    await producer.send({ topic: TOPIC, messages: [{ value: TOPIC }] })
    return true
  } catch {
    return false
  } finally {
    await producer.close()
    standIn.destroy()
  }
}

/** undefined: a request that is not in the script. */
function answerTo(frame: Buffer): Buffer | undefined {
  const known = script.find(({ api }) => api.key === frame.readInt16BE(0))
  if (known === undefined) return undefined
  const { api, response } = known
  const { apiVersion, correlationId } = decodeRequestHeader(frame, 0, () => true)
  const writer = new Writer()
  writer.startFrame()
  encodeResponseHeader(writer, api, apiVersion, correlationId)
  encodeResponse(api, apiVersion, response, writer)
  return Buffer.concat(writer.finishFrame())
}
