/** The adapter of kafkajs, by requests over its sockets; kafkajs itself is run by test/interop. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import test from 'ava'
import { Broker, kafkajsSocketFactory } from '../../src/index.ts'
import { Metadata } from '../../src/protocol/apis/03-metadata.ts'
import { RawConnection } from '../support/raw-connection.ts'

function opened(broker: Broker): Promise<Socket> {
  const factory = kafkajsSocketFactory(broker)
  return new Promise((resolve) => {
    const socket = factory({ onConnect: () => resolve(socket) })
  })
}

for (const threads of [0, 1]) {
  test(`${threads} threads: its sockets reach the broker and outlive one another`, async (t) => {
    await using broker = await Broker.start({ storage: 'memory', threads, topics: ['t'] })
    const sockets = [await opened(broker), await opened(broker)]
    const [first, second] = sockets.map((socket) => RawConnection.over(socket))
    const asked = { topics: [{ name: 't' }] }
    const answers = [await first?.ask(Metadata, 8, asked), await second?.ask(Metadata, 8, asked)]
    for (const answer of answers) t.is(answer?.topics?.[0]?.partitions.length, 1)
    // As kafkajs ends one.
    sockets[0]?.end()
    sockets[0]?.unref()
    await first?.closed
    t.is((await second?.ask(Metadata, 8, asked))?.topics?.length, 1)
  })
}

test('its sockets end when the broker stops', async (t) => {
  const broker = await Broker.start({ storage: 'memory' })
  const socket = await opened(broker)
  socket.resume()
  const ended = once(socket, 'end')
  await broker.stop()
  await ended
  t.throws(() => kafkajsSocketFactory(broker)({ onConnect() {} }), { message: /is stopped/ })
})
