/** A message port as a stream of Node's, its other end on this thread. */
import { once } from 'node:events'
import test from 'ava'
import { PortConnections } from '../../src/net/port-connections.ts'
import { PortSocket } from '../../src/net/port-socket.ts'
import { PortStream } from '../../src/net/port-stream.ts'

function open(): { stream: PortStream; peer: PortSocket } {
  const { client, server, wiring } = new PortConnections().connect()
  return { stream: new PortStream(client), peer: new PortSocket(server, wiring) }
}

/** More than the rings hold. */
const MANY = Buffer.alloc(3_000_000)
for (let i = 0; i < MANY.length; i += 4) MANY.writeInt32LE(i, i)

/** What the peer reads until it has `length` bytes. */
function read(peer: PortSocket, length: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let left = length
    peer.onBytes((bytes) => {
      chunks.push(Buffer.from(bytes))
      left -= bytes.length
      if (left <= 0) resolve(Buffer.concat(chunks))
    })
    peer.resume()
  })
}

test('what is written waits until the peer reads, and arrives whole', async (t) => {
  const { stream, peer } = open()
  t.false(stream.write(MANY))
  t.true(stream.writableLength > 0)
  t.true((await read(peer, MANY.length)).equals(MANY))
  if (stream.writableNeedDrain) await once(stream, 'drain')
  t.is(stream.writableLength, 0)
  stream.destroy()
  peer.destroy()
})

test('what the peer writes waits until the stream is read, and arrives whole', async (t) => {
  const { stream, peer } = open()
  let taken = false
  peer.write(MANY, () => {
    taken = true
  })
  await once(stream, 'readable')
  t.false(taken, 'nobody has read')
  t.true(stream.readableLength < MANY.length)
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream) {
    chunks.push(chunk)
    length += chunk.length
    if (length === MANY.length) break
  }
  t.true(Buffer.concat(chunks).equals(MANY))
  t.true(taken)
  peer.destroy()
})

test('a stream that ends has given all of it to its peer', async (t) => {
  const { stream, peer } = open()
  const gone = once(peer, 'close')
  const closed = once(stream, 'close')
  stream.resume()
  stream.end(MANY)
  t.true((await read(peer, MANY.length)).equals(MANY))
  await Promise.all([gone, closed])
})

test('a peer that leaves ends the stream, after what it has said', async (t) => {
  const { stream, peer } = open()
  peer.write(Buffer.from('last words'))
  peer.end()
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  t.is(Buffer.concat(chunks).toString(), 'last words')
  t.true(stream.destroyed)
})

test('a stream that is destroyed leaves its peer, and a port serves once', async (t) => {
  const { client, server, wiring } = new PortConnections().connect()
  const stream = new PortStream(client)
  const peer = new PortSocket(server, wiring)
  peer.resume()
  t.throws(() => new PortStream(client), { message: /in use already/ })
  const closed = [once(peer, 'close'), once(stream, 'close')]
  stream.destroy()
  await Promise.all(closed)
})
