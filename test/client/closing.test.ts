/** Clients that are closed while a connection is being opened: nothing of it is left. */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import test from 'ava'
import { tcpTransport } from '../../src/client/transport.ts'
import { Admin, Consumer, DisconnectError, type KafkaError, Producer } from '../../src/index.ts'
import { PortConnections } from '../../src/net/port-connections.ts'
import { PortSocket } from '../../src/net/port-socket.ts'

type Target = ConstructorParameters<typeof Admin>[0]

/** Each has begun to connect when it answers. `ended`: what becomes of that. */
const clients = {
  producer(target: Target) {
    const producer = new Producer(target)
    const ended = producer.send({ topic: 't', messages: [{ value: 'v' }] })
    return { close: () => producer.close({ timeoutMs: 1 }), ended }
  },
  consumer(target: Target) {
    const consumer = new Consumer(target)
    consumer.assign([{ topic: 't', partition: 0 }])
    const ended = consumer.poll({ timeoutMs: 600_000 })
    return { close: () => consumer.close({ timeoutMs: 1 }), ended }
  },
  admin(target: Target) {
    const admin = new Admin(target)
    return { close: () => admin.close(), ended: admin.listTopics() }
  },
}
/** The test would be over before these are. */
const patient = { requestTimeoutMs: 600_000, connectionTimeoutMs: 600_000 }

for (const [name, open] of Object.entries(clients)) {
  test(`a ${name} that is closed lets go of a broker that has not answered yet`, async (t) => {
    const server = createServer()
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve())
    })
    const { port } = server.address() as { port: number }
    const client = open({ bootstrapServers: `127.0.0.1:${port}`, ...patient })
    const [socket] = (await once(server, 'connection')) as [Socket]
    await once(socket, 'data')
    const gone = once(socket, 'close')
    await Promise.all([
      gone,
      client.close(),
      t.throwsAsync<KafkaError>(async () => client.ended, { name: 'CLIENT_CLOSED' }),
    ])
    server.close()
  })

  test(`a ${name} that is closed lets go of a port whose broker has not answered yet`, async (t) => {
    const { client: port, server, wiring } = new PortConnections().connect()
    const socket = new PortSocket(server, wiring)
    const client = open({ port, ...patient })
    const asked = new Promise<void>((resolve) => {
      socket.onBytes(() => resolve())
    })
    socket.resume()
    await asked
    const gone = once(socket, 'close')
    await Promise.all([
      gone,
      client.close(),
      t.throwsAsync<KafkaError>(async () => client.ended, { name: 'CLIENT_CLOSED' }),
    ])
  })
}

test('a connection that is given up before it is there rejects at once', async (t) => {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve())
  })
  const { port } = server.address() as { port: number }
  const closing = new AbortController()
  const address = { host: '127.0.0.1', port }
  const opening = tcpTransport.open(address, 'main', 600_000, closing.signal)
  closing.abort()
  await t.throwsAsync(opening, { instanceOf: DisconnectError, message: /the client was closed/ })
  server.close()
})
