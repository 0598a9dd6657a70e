import net from 'node:net'
import test from 'ava'
import fc from 'fast-check'
import type { Connection } from '../../src/net/connection.ts'
import { type ListenerHost, listenTcp } from '../../src/net/tcp.ts'
import { BufferPool, type PooledBuffer } from '../../src/ring/arena.ts'
import { bodyOf, framed } from './fake-socket.ts'

/** Answers each frame with itself. */
class Echo implements ListenerHost {
  readonly pool = new BufferPool()
  readonly scratch = Buffer.alloc(64 * 1024)
  readonly frameBytesMax = 100_000_000
  wanted = true
  opened = 0
  closed = 0
  #ids = 0

  accept(): boolean {
    return this.wanted
  }
  nextConnectionId(): number {
    return ++this.#ids
  }
  monotonicMs(): number {
    return 0
  }
  admit(): boolean {
    return true
  }
  mayStart(): boolean {
    return true
  }
  onFrame(connection: Connection, bytes: Buffer, from: number, to: number, pooled?: PooledBuffer) {
    if (pooled === undefined) {
      connection.send([framed(bytes.subarray(from, to))], undefined)
      return
    }
    // Sent from where it lies: the memory is kept until the kernel has it.
    this.pool.retain(pooled)
    const release = () => this.pool.release(pooled)
    connection.send([bytes.subarray(from - 4, from), bytes.subarray(from, to)], release)
  }
  onClosed(): void {
    this.closed++
  }
  log(): void {}
}

function connectTo(port: number): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    socket.once('connect', () => resolve(socket))
    socket.once('error', reject)
  })
}

function receive(socket: net.Socket, bytes: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let total = 0
    const onChunk = (chunk: Buffer) => {
      chunks.push(chunk)
      total += chunk.length
      if (total < bytes) return
      socket.off('data', onChunk)
      resolve(Buffer.concat(chunks))
    }
    socket.on('data', onChunk)
  })
}

const options = { host: '127.0.0.1', port: 0, backlog: 50, reusePort: false }

test('over loopback the same bytes come back, however they are cut', async (t) => {
  const echo = new Echo()
  const listener = await listenTcp(options, echo, () => echo.opened++)
  const size = fc.oneof(
    fc.integer({ min: 8, max: 3000 }),
    fc.constantFrom(65_530, 65_536, 200_000, 1_500_000),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(size, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 3 }),
      fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 8 }),
      async (clients, cuts) => {
        await Promise.all(
          clients.map(async (all) => {
            const stream = Buffer.concat(all.map((bytes, i) => framed(bodyOf(bytes, i))))
            const socket = await connectTo(listener.port)
            const back = receive(socket, stream.length)
            for (let at = 0, turn = 0; at < stream.length; turn++) {
              const n = cuts[turn % cuts.length] as number
              await new Promise((resolve) => socket.write(stream.subarray(at, at + n), resolve))
              at += n
            }
            t.true((await back).equals(stream))
            socket.destroy()
          }),
        )
      },
    ),
    { numRuns: 12 },
  )
  listener.close()
})

test('a peer that is not wanted is let go', async (t) => {
  const echo = new Echo()
  echo.wanted = false
  const listener = await listenTcp(options, echo, () => echo.opened++)
  const socket = await connectTo(listener.port)
  await new Promise((resolve) => socket.once('close', resolve))
  t.is(echo.opened, 0)
  listener.close()
})

test('a peer that leaves is noticed, and its memory comes back', async (t) => {
  const echo = new Echo()
  const listener = await listenTcp(options, echo, () => echo.opened++)
  const socket = await connectTo(listener.port)
  const gone = new Promise<void>((resolve) => {
    const { onClosed } = echo
    echo.onClosed = () => {
      onClosed.call(echo)
      resolve()
    }
  })
  // Half a frame, then nothing.
  await new Promise((resolve) =>
    socket.write(framed(bodyOf(500_000, 1)).subarray(0, 100_000), resolve),
  )
  socket.destroy()
  await gone
  t.is(echo.closed, 1)
  t.is(echo.pool.bytesInUse, 0)
  listener.close()
})

test('a port in use is told', async (t) => {
  const listener = await listenTcp(options, new Echo(), () => {})
  const error = await t.throwsAsync(
    listenTcp({ ...options, port: listener.port }, new Echo(), () => {}),
  )
  t.is((error as NodeJS.ErrnoException).code, 'EADDRINUSE')
  listener.close()
})
