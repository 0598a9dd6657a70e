/** Connections without a network, both ends on this thread. */
import { once } from 'node:events'
import test from 'ava'
import { type NewConnection, PortConnections } from '../../src/net/port-connections.ts'
import { PortSocket } from '../../src/net/port-socket.ts'

interface Ends {
  readonly client: PortSocket
  readonly server: PortSocket
}

function open({ client, server, wiring }: NewConnection): Ends {
  return { client: PortSocket.connect(client), server: new PortSocket(server, wiring) }
}

async function close({ client, server }: Ends): Promise<void> {
  const closed = [once(client, 'close'), once(server, 'close')]
  client.destroy()
  server.resume()
  await Promise.all(closed)
}

/** What the server reads when the client has sent `text`. */
async function sent({ client, server }: Ends, text: string): Promise<string> {
  const chunks: string[] = []
  const whole = new Promise<void>((resolve) => {
    server.onBytes((bytes) => {
      chunks.push(bytes.toString())
      if (chunks.join('').length >= text.length) resolve()
    })
  })
  server.resume()
  client.write(Buffer.from(text))
  await whole
  return chunks.join('')
}

test('memory of a connection that both sides have left serves a later one', async (t) => {
  const connections = new PortConnections()
  const first = connections.connect()
  const ends = open(first)
  t.is(await sent(ends, 'x'.repeat(1_000_000)), 'x'.repeat(1_000_000))
  await close(ends)
  const second = connections.connect()
  t.is(second.wiring.incoming, first.wiring.incoming)
  const later = open(second)
  t.is(await sent(later, 'again'), 'again')
  await close(later)
})

test('memory that one side may still touch is not given away', async (t) => {
  const connections = new PortConnections()
  const first = connections.connect()
  const { client, server } = open(first)
  const closed = once(client, 'close')
  client.destroy()
  await closed
  // The server has not been told to read, so it has not seen the end.
  const second = connections.connect()
  t.not(second.wiring.incoming, first.wiring.incoming)
  server.destroy()
  second.client.close()
})

test('memory of a connection that nobody took up serves a later one', async (t) => {
  const connections = new PortConnections()
  const { client, server, wiring } = connections.connect()
  const socket = new PortSocket(server, wiring)
  const closed = once(socket, 'close')
  socket.resume()
  client.close()
  await closed
  const second = connections.connect()
  t.is(second.wiring.incoming, wiring.incoming)
  await close(open(second))
})

test('memory of a connection that the server ended first waits for the client', async (t) => {
  const connections = new PortConnections()
  const { client, server, wiring } = connections.connect()
  const socket = new PortSocket(server, wiring)
  const closed = once(socket, 'close')
  socket.destroy()
  await closed
  const second = connections.connect()
  t.not(second.wiring.incoming, wiring.incoming)
  for (const port of [client, second.client]) port.close()
})

test('a side that is ended from inside its own reader leaves the memory afterwards', async (t) => {
  const connections = new PortConnections()
  const first = connections.connect()
  const { client, server } = open(first)
  const closed = [once(client, 'close'), once(server, 'close')]
  const ended = new Int32Array(first.wiring.use)
  server.onBytes(() => {
    server.destroy()
    t.is(Atomics.load(ended, 0), 0)
  })
  server.resume()
  client.write(Buffer.from('x'))
  client.resume()
  await Promise.all(closed)
  t.is(Atomics.load(ended, 0), 2)
  t.is(connections.connect().wiring.incoming, first.wiring.incoming)
})

test('memory is remembered of a few connections only', async (t) => {
  const connections = new PortConnections()
  const first = connections.connect()
  const others = Array.from({ length: 8 }, () => connections.connect())
  await close(open(first))
  t.not(connections.connect().wiring.incoming, first.wiring.incoming)
  for (const { client } of others) client.close()
})
