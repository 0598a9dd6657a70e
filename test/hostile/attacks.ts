/** What one hostile client does: each attack ends by itself after a second or so. */
import net from 'node:net'
import { Produce } from '../../src/protocol/apis/00-produce.ts'
import { Fetch } from '../../src/protocol/apis/01-fetch.ts'
import { Metadata } from '../../src/protocol/apis/03-metadata.ts'
import { CreateTopics } from '../../src/protocol/apis/19-create-topics.ts'
import { ErrorCode, errorName } from '../../src/protocol/errors.ts'
import { ConnectionLost, frameOf, RawConnection } from '../support/raw-connection.ts'
import { pause, type Seeded } from '../support/seeded.ts'
import { bombBatches, lyingBatch } from './batches.ts'
import { anyRequest, mutated, NAMES } from './frames.ts'

/** A topic with much to read, that nobody else knows. */
export const FEAST = 'feast-of-the-readers'

const MIB = 1024 * 1024

/** Whom to attack. */
export interface Target {
  readonly port: number
  readonly random: Seeded
  /** Something was answered that must not be. */
  fault(what: string): void
}

/** All attacks by name. */
export const attacks: Readonly<Record<string, (target: Target) => Promise<void>>> = {
  randomBytes,
  mutatedRequests,
  validRequests,
  truncatedRequests,
  wrongSizes,
  manyPartitions,
  emptyArrays,
  lyingBatches,
  bombs,
  strangeNames,
  halfFrames,
  announcedFrames,
  neverReading,
  flood,
}

/** A socket that swallows what is answered. `undefined`: it was refused. */
function dial(port: number): Promise<net.Socket | undefined> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => resolve(socket))
    socket.on('error', () => resolve(undefined))
    socket.on('data', () => {})
  })
}

/** Sends `bytes` in random pieces and gives the broker a moment to answer. */
async function throwAt({ port, random }: Target, bytes: Buffer): Promise<void> {
  const socket = await dial(port)
  if (socket === undefined) return
  let at = 0
  while (at < bytes.length && !socket.destroyed) {
    const n = random.chance(0.5) ? bytes.length - at : random.between(1, bytes.length - at)
    socket.write(bytes.subarray(at, at + n))
    at += n
    if (random.chance(0.3)) await pause(1)
  }
  await pause(random.between(1, 30))
  socket.destroy()
}

async function randomBytes(target: Target): Promise<void> {
  const { random } = target
  for (let i = 0; i < 10; i++) {
    const bytes = random.bytes(random.between(1, 5000))
    if (bytes.length > 8 && random.chance(0.7)) {
      bytes.writeInt32BE(bytes.length - 4)
      bytes.writeInt16BE(random.between(-1, 95), 4)
      bytes.writeInt16BE(random.between(-1, 20), 6)
    }
    await throwAt(target, bytes)
  }
}

async function mutatedRequests(target: Target): Promise<void> {
  const { random } = target
  for (let i = 0; i < 20; i++) {
    const frames = Array.from({ length: random.between(1, 6) }, () => {
      const frame = anyRequest(random)
      return random.chance(0.5) ? mutated(frame, random) : frame
    })
    await throwAt(target, Buffer.concat(frames))
  }
}

async function validRequests(target: Target): Promise<void> {
  const { random } = target
  for (let i = 0; i < 10; i++) {
    const frames = Array.from({ length: random.between(1, 20) }, () => anyRequest(random))
    await throwAt(target, Buffer.concat(frames))
  }
}

async function truncatedRequests(target: Target): Promise<void> {
  const { random } = target
  for (let i = 0; i < 20; i++) {
    const frame = anyRequest(random)
    const cut = frame.subarray(0, random.between(0, frame.length - 1))
    if (cut.length >= 4 && random.chance(0.5)) cut.writeInt32BE(cut.length - 4)
    await throwAt(target, Buffer.from(cut))
  }
}

async function wrongSizes(target: Target): Promise<void> {
  for (const size of [-2147483648, -1, 0, 1, 7, 8, 104_857_601, 2147483647]) {
    const bytes = Buffer.concat([Buffer.alloc(4), target.random.bytes(20)])
    bytes.writeInt32BE(size)
    await throwAt(target, bytes)
  }
}

/** One Fetch of thousands of partitions, most of them nowhere. */
async function manyPartitions(target: Target): Promise<void> {
  const { random } = target
  const partitions = Array.from({ length: random.between(1000, 20_000) }, (_, partition) => ({
    partition: random.chance(0.9) ? partition : -partition,
    fetchOffset: random.pick([0, -1, 2 ** 52]),
    partitionMaxBytes: random.pick([0, -1, 2147483647]),
  }))
  const request = {
    maxWaitMs: random.pick([0, 10, -1]),
    minBytes: random.pick([0, 1, 2147483647]),
    maxBytes: random.pick([0, -1, 2147483647]),
    sessionId: 0,
    sessionEpoch: random.pick([0, -1]),
    topics: [
      { topic: FEAST, partitions },
      { topic: '__proto__', partitions: partitions.slice(0, 10) },
    ],
  }
  await throwAt(target, frameOf(Fetch, random.between(7, 12), request, 1))
}

/** Arrays of hundreds of thousands of empty elements. */
async function emptyArrays(target: Target): Promise<void> {
  const { random } = target
  const count = random.pick([1000, 100_000, 499_000, 600_000])
  const topics = Array.from({ length: count }, () => ({ topic: '', partitions: [] }))
  await throwAt(target, frameOf(Fetch, 12, { maxWaitMs: 0, minBytes: 1, topics }, 1))
  const names = Array.from({ length: count }, () => ({ name: '' }))
  await throwAt(target, frameOf(Metadata, 9, { topics: names }, 2))
}

/** Sends one batch to the victim; the error code, or undefined: the connection was closed. */
async function produce(target: Target, batch: Buffer): Promise<number | undefined> {
  try {
    const connection = await RawConnection.open(target.port)
    const answer = await connection.ask(Produce, 9, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1000,
      topicData: [{ name: 'victim', partitionData: [{ index: 0, records: batch }] }],
    })
    connection.close()
    return answer.responses[0]?.partitionResponses[0]?.errorCode
  } catch (error) {
    if (error instanceof ConnectionLost || 'code' in (error as Error)) return undefined
    throw error
  }
}

async function lyingBatches(target: Target): Promise<void> {
  for (let i = 0; i < 30; i++) await produce(target, lyingBatch(target.random))
}

async function bombs(target: Target): Promise<void> {
  const batch = target.random.pick(bombBatches())
  const errorCode = await produce(target, batch)
  const isRefused = errorCode !== ErrorCode.NONE
  if (!isRefused) target.fault(`a bomb is answered with ${errorName(errorCode)}`)
}

async function strangeNames(target: Target): Promise<void> {
  const { random } = target
  for (const name of NAMES) {
    const topics = [{ name, numPartitions: random.pick([1, 0, -1, 2147483647]) }]
    await throwAt(target, frameOf(CreateTopics, 5, { topics: topics }, 1))
    await throwAt(target, frameOf(Metadata, 8, { topics: [{ name }] }, 1))
  }
}

/** Frames that begin and do not go on. */
async function halfFrames(target: Target): Promise<void> {
  const { random } = target
  const sockets: net.Socket[] = []
  for (let i = 0; i < 20; i++) {
    const socket = await dial(target.port)
    if (socket === undefined) continue
    const frame = anyRequest(random)
    socket.write(frame.subarray(0, random.between(1, frame.length - 1)))
    sockets.push(socket)
  }
  await pause(random.between(100, 1500))
  for (const socket of sockets) socket.destroy()
}

/** Fifty connections announce 99 MiB; some send nothing, some a little at a time. */
async function announcedFrames(target: Target): Promise<void> {
  const { random } = target
  const sockets: net.Socket[] = []
  const size = Buffer.alloc(12)
  size.writeInt32BE(99 * MIB)
  for (let i = 0; i < 50; i++) {
    const socket = await dial(target.port)
    if (socket === undefined) continue
    socket.write(size)
    sockets.push(socket)
  }
  const piece = Buffer.alloc(64 * 1024)
  for (let turn = random.between(5, 40); turn > 0; turn--) {
    for (const [i, socket] of sockets.entries()) {
      if (i % 2 === 0 && !socket.destroyed && socket.writableLength < MIB) socket.write(piece)
    }
    await pause(25)
  }
  for (const socket of sockets) socket.destroy()
}

/** Twenty connections ask for all that there is, again and again, and read none of it. */
async function neverReading(target: Target): Promise<void> {
  const { random } = target
  const partitions = Array.from({ length: 8 }, (_, partition) => ({
    partition,
    fetchOffset: 0,
    partitionMaxBytes: 50 * MIB,
  }))
  const topics = [{ topic: FEAST, partitions }]
  const request = { maxWaitMs: 0, minBytes: 1, maxBytes: 50 * MIB, topics }
  const frame = frameOf(Fetch, 11, request, 1)
  const sockets: net.Socket[] = []
  for (let i = 0; i < 20; i++) {
    const socket = await dial(target.port)
    if (socket === undefined) continue
    socket.pause()
    for (let k = 0; k < 20; k++) socket.write(frame)
    sockets.push(socket)
  }
  await pause(random.between(300, 2500))
  for (const socket of sockets) socket.destroy()
}

/** Many connections at once that leave again. */
async function flood(target: Target): Promise<void> {
  const sockets = await Promise.all(Array.from({ length: 300 }, () => dial(target.port)))
  for (const socket of sockets) socket?.destroy()
}
