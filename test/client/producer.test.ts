import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { DisconnectError, KafkaError, TimeoutError } from '../../src/client/errors.ts'
import { Producer } from '../../src/client/producer.ts'
import type { ProducerSettings } from '../../src/client/producer-options.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import { FakeBroker, type Misfortune } from './fake-broker.ts'

const impatient = {
  retryBackoffMs: 1,
  retryBackoffMaxMs: 2,
  reconnectBackoffMs: 1,
  reconnectBackoffMaxMs: 2,
}

async function withProducer(
  settings: ProducerSettings & { requestTimeoutMs?: number },
  run: (producer: Producer, broker: FakeBroker) => Promise<void>,
): Promise<void> {
  const broker = await FakeBroker.start()
  const bootstrapServers = `127.0.0.1:${broker.port}`
  const producer = new Producer({ bootstrapServers, ...impatient, ...settings })
  try {
    await run(producer, broker)
  } finally {
    await producer.close({ timeoutMs: 100 })
    await broker.stop()
  }
}

/** The misfortunes in turn, then none. */
function inTurn(broker: FakeBroker, misfortunes: readonly Misfortune[]): void {
  broker.misfortune = (n) => misfortunes[n] ?? 'none'
}

const sendAll = (producer: Producer, count: number, from = 0) =>
  Promise.all(
    Array.from({ length: count }, (_, i) =>
      producer.send({ topic: 't', messages: [{ value: String(from + i) }] }),
    ),
  )

const numbers = (count: number) => Array.from({ length: count }, (_, i) => String(i))

for (const misfortune of ['hangUpBefore', 'hangUpAfter'] as const) {
  test.serial(`a record is written once when the connection breaks: ${misfortune}`, async (t) => {
    await withProducer({}, async (producer, broker) => {
      inTurn(broker, [misfortune])
      const [record] = await producer.send({ topic: 't', messages: [{ value: 'v' }] })
      t.is(record?.offset, 0)
      t.deepEqual(broker.values('t'), ['v'])
      t.is(producer.metrics().retries, 1)
    })
  })
}

test.serial('several requests in flight keep their order whatever fails', async (t) => {
  const misfortunes = fc.constantFrom<Misfortune>(
    'none',
    'none',
    'hangUpBefore',
    'hangUpAfter',
    { code: ErrorCode.NOT_LEADER_OR_FOLLOWER },
    { code: ErrorCode.NOT_ENOUGH_REPLICAS },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(misfortunes, { maxLength: 12 }), async (script) => {
      await withProducer({ batchSize: 120 }, async (producer, broker) => {
        inTurn(broker, script)
        const records = (await sendAll(producer, 60)).flat()
        t.deepEqual(broker.values('t'), numbers(60))
        t.deepEqual(
          records.map(({ offset }) => offset),
          numbers(60).map(Number),
        )
      })
    }),
    { numRuns: 25 },
  )
})

test.serial('what is given up leaves no gap that stops the records behind', async (t) => {
  const misfortunes = fc.constantFrom<Misfortune>(
    'none',
    'hangUpAfter',
    { code: ErrorCode.INVALID_RECORD },
    { code: ErrorCode.NOT_LEADER_OR_FOLLOWER },
    { code: ErrorCode.UNKNOWN_SERVER_ERROR },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(misfortunes, { maxLength: 10 }), async (script) => {
      await withProducer({ batchSize: 120 }, async (producer, broker) => {
        inTurn(broker, script)
        const sends = Array.from({ length: 40 }, (_, i) =>
          producer.send({ topic: 't', messages: [{ value: String(i) }] }),
        )
        const settled = await Promise.allSettled(sends)
        const values = broker.values('t').map(Number)
        // A record that was given up may have been written by an earlier try.
        t.deepEqual(
          values,
          [...new Set(values)].sort((a, b) => a - b),
        )
        const missing = settled.filter(
          (one, i) => one.status === 'fulfilled' && !values.includes(i),
        )
        t.deepEqual(missing, [])
      })
    }),
    { numRuns: 25 },
  )
})

test.serial('records that the broker has lost begin a new epoch', async (t) => {
  await withProducer({}, async (producer, broker) => {
    await sendAll(producer, 2)
    inTurn(broker, ['none', { code: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER }])
    await sendAll(producer, 1, 2)
    await sendAll(producer, 1, 3)
    t.deepEqual(broker.values('t'), numbers(4))
    t.is(producer.metrics().epochBumps, 1)
    t.is(broker.initProducerIds, 1)
  })
})

test.serial('a request without an answer is sent again, over another connection', async (t) => {
  await withProducer({ requestTimeoutMs: 300 }, async (producer, broker) => {
    inTurn(broker, ['silentBefore'])
    await sendAll(producer, 1)
    t.deepEqual(broker.values('t'), ['0'])
    t.true(broker.connections >= 2)
  })
})

test.serial(
  'a record is given up after deliveryTimeoutMs, and the next one is written',
  async (t) => {
    const settings = { requestTimeoutMs: 300, deliveryTimeoutMs: 1000 }
    await withProducer(settings, async (producer, broker) => {
      broker.misfortune = () => 'silentBefore'
      const error = await t.throwsAsync(
        producer.send({ topic: 't', messages: [{ value: 'lost' }] }),
      )
      t.true(error instanceof TimeoutError)
      t.true((error as TimeoutError).cause instanceof KafkaError)
      broker.misfortune = () => 'none'
      await sendAll(producer, 1)
      t.deepEqual(broker.values('t'), ['0'])
    })
  },
)

test.serial('retries are counted', async (t) => {
  await withProducer({ retries: 2, enableIdempotence: false }, async (producer, broker) => {
    broker.misfortune = () => ({ code: ErrorCode.NOT_ENOUGH_REPLICAS })
    const sent = producer.send({ topic: 't', messages: [{ value: '' }] })
    await t.throwsAsync(sent, { name: 'NOT_ENOUGH_REPLICAS' })
    t.is(broker.requests, 3)
  })
})

test.serial('a broker that cannot be reached is told as such', async (t) => {
  const broker = await FakeBroker.start()
  await broker.stop()
  const producer = new Producer({
    bootstrapServers: `127.0.0.1:${broker.port}`,
    ...impatient,
    maxBlockMs: 50,
  })
  const error = await t.throwsAsync(producer.send({ topic: 't', messages: [{ value: '' }] }))
  t.true(error instanceof TimeoutError)
  t.true((error as TimeoutError).cause instanceof DisconnectError)
  await producer.close()
})

test.serial('a send waits for its topic and holds up no other', async (t) => {
  await withProducer({}, async (producer, broker) => {
    broker.missing.add('t')
    const waiting = producer.send({ topic: 't', messages: [{ value: '0' }] })
    await producer.send({ topic: 'other', messages: [{ value: 'not held up' }] })
    t.is(producer.metrics().waitingSends, 1)
    broker.missing.delete('t')
    t.is((await waiting)[0]?.offset, 0)
  })
})

test.serial('a send rejects when its topic does not come', async (t) => {
  await withProducer({ maxBlockMs: 200 }, async (producer, broker) => {
    broker.missing.add('never')
    const never = producer.send({ topic: 'never', messages: [{ value: '' }] })
    const error = await t.throwsAsync(never)
    t.regex(String(error?.message), /'never'/)
  })
})

test.serial('buffer memory holds senders back, and none is lost or out of order', async (t) => {
  const settings = { bufferMemory: 500, batchSize: 200 }
  await withProducer(settings, async (producer, broker) => {
    const sends = sendAll(producer, 200)
    await producer.ready()
    t.true(producer.metrics().bufferBytes <= 500)
    await sends
    t.deepEqual(broker.values('t'), numbers(200))
    t.is(producer.metrics().bufferBytes, 0)
  })
})

test.serial('a send larger than buffer memory goes through piece by piece', async (t) => {
  await withProducer({ bufferMemory: 300, batchSize: 200 }, async (producer, broker) => {
    const messages = numbers(100).map((value) => ({ value }))
    const records = await producer.send({ topic: 't', messages })
    t.is(records.length, 100)
    t.deepEqual(broker.values('t'), numbers(100))
  })
})

test.serial('memory that does not come free rejects a send after maxBlockMs', async (t) => {
  const settings = { bufferMemory: 50, maxBlockMs: 2000 }
  await withProducer(settings, async (producer, broker) => {
    await producer.partitionsFor('t')
    await sendAll(producer, 1)
    broker.misfortune = () => 'silentBefore'
    const first = producer.send({ topic: 't', messages: [{ value: 'x'.repeat(100) }] })
    const second = producer.send({ topic: 't', messages: [{ value: 'y' }] })
    await t.throwsAsync(second, { name: 'BUFFER_EXHAUSTED' })
    await Promise.all([
      t.throwsAsync(first, { name: 'CLIENT_CLOSED' }),
      producer.close({ timeoutMs: 1 }),
    ])
  })
})

test.serial(
  'flush resolves when all before it is written, close writes what is left',
  async (t) => {
    await withProducer(
      { lingerMs: 60_000, deliveryTimeoutMs: 200_000 },
      async (producer, broker) => {
        for (const value of numbers(10)) producer.post({ topic: 't', messages: [{ value }] })
        await producer.flush()
        t.deepEqual(broker.values('t'), numbers(10))
        producer.post({ topic: 't', messages: [{ value: '10' }] })
        await producer.close()
        t.deepEqual(broker.values('t'), numbers(11))
        await t.throwsAsync(producer.send({ topic: 't', messages: [{ value: '' }] }), {
          name: 'CLIENT_CLOSED',
        })
      },
    )
  },
)

test.serial('interceptors see messages before and after, and may fail without harm', async (t) => {
  const seen: string[] = []
  const interceptors = [
    {
      onSend: (message: { value: unknown }) => ({ ...message, value: `${message.value}!` }),
      onAcknowledgement: (record: { offset: number } | undefined, error: Error | null) => {
        seen.push(error === null ? `at ${record?.offset}` : error.name)
      },
    },
    {
      onSend: () => {
        throw new Error('broken')
      },
    },
  ]
  await withProducer({ interceptors } as ProducerSettings, async (producer, broker) => {
    await sendAll(producer, 1)
    inTurn(broker, ['none', { code: ErrorCode.INVALID_RECORD }])
    producer.post({ topic: 't', messages: [{ value: 'refused' }] })
    await producer.flush()
    t.deepEqual(broker.values('t'), ['0!'])
    t.deepEqual(seen, ['at 0', 'INVALID_RECORD'])
  })
})

test.serial('asynchronous serializers keep the order of sends', async (t) => {
  let turn = 0
  const value = {
    serialize: async (one: number) => {
      // The first takes more turns of the event loop than the second.
      for (let i = turn++ === 0 ? 5 : 0; i > 0; i--) await new Promise(setImmediate)
      return `n${one}`
    },
  }
  const broker = await FakeBroker.start()
  const producer = new Producer<string, number>({
    bootstrapServers: `127.0.0.1:${broker.port}`,
    serializers: { value },
  })
  await Promise.all([1, 2].map((one) => producer.send({ topic: 't', messages: [{ value: one }] })))
  t.deepEqual(broker.values('t'), ['n1', 'n2'])
  await producer.close()
  await broker.stop()
})

test.serial('partitioners choose: round robin in turn, a function as it likes', async (t) => {
  const spread = async (settings: ProducerSettings) => {
    let values: (readonly string[])[] = []
    await withProducer(settings, async (producer, broker) => {
      broker.partitionCount = 3
      const messages = numbers(6).map((value) => ({ key: 'same', value }))
      await producer.send({ topic: 't', messages })
      values = [0, 1, 2].map((partition) => broker.values('t', partition))
    })
    return values
  }
  t.deepEqual(await spread({ partitioner: 'roundRobin' }), [
    ['0', '3'],
    ['1', '4'],
    ['2', '5'],
  ])
  t.deepEqual(await spread({ partitioner: ({ value }) => (value === '4' ? 0 : 2) }), [
    ['4'],
    [],
    ['0', '1', '2', '3', '5'],
  ])
  const outside = withProducer({ partitioner: () => 7 }, async (producer) => {
    await producer.send({ topic: 't', messages: [{ value: '' }] })
  })
  await t.throwsAsync(outside, { name: 'INVALID_PARTITIONS' })
})

test.serial('records without a key stay with one partition until it has got a batch', async (t) => {
  await withProducer({ batchSize: 1000 }, async (producer, broker) => {
    broker.partitionCount = 1000
    const records = (await sendAll(producer, 300)).flat()
    const changes = records.filter(({ partition }, i) => {
      return i > 0 && partition !== records[i - 1]?.partition
    })
    t.true(changes.length < 10)
    t.true(new Set(records.map(({ partition }) => partition)).size > 1)
  })
})

test.serial('an old broker that does not know our ApiVersions is asked again', async (t) => {
  await withProducer({}, async (producer, broker) => {
    broker.apiVersionsMax = 2
    await sendAll(producer, 1)
    t.deepEqual(broker.values('t'), ['0'])
  })
})

const wrong = (t: ExecutionContext, settings: ProducerSettings, message: RegExp) =>
  t.throws(() => new Producer({ bootstrapServers: '127.0.0.1:1', ...settings }), {
    instanceOf: TypeError,
    message,
  })

test.serial(
  'a record that is larger than maxRequestSize is refused, the others are not',
  async (t) => {
    await withProducer({ maxRequestSize: 1000 }, async (producer, broker) => {
      const messages = [{ value: 'a' }, { value: 'x'.repeat(1000) }, { value: 'b' }]
      await t.throwsAsync(producer.send({ topic: 't', messages }), { name: 'MESSAGE_TOO_LARGE' })
      await producer.flush()
      t.deepEqual(broker.values('t'), ['a', 'b'])
      for (const value of numbers(20))
        producer.post({ topic: 't', messages: [{ value: value.padEnd(300) }] })
      await producer.flush()
      const { requestsSent, bytesSent } = producer.metrics()
      t.true(bytesSent / requestsSent <= 1000)
    })
  },
)

test.serial('compressionLevel is what the codec gets', async (t) => {
  const sent: number[] = []
  const words = Array.from({ length: 5000 }, (_, i) => `${(i * 7919) % 997}`)
  for (const compressionLevel of [1, 9]) {
    const settings = { compressionType: 'gzip', compressionLevel, batchSize: 100_000 } as const
    await withProducer(settings, async (producer, broker) => {
      // The broker of this test cannot unfold.
      broker.misfortune = () => ({ code: ErrorCode.INVALID_RECORD })
      producer.post({ topic: 't', messages: [{ value: words.join(' ') }] })
      await producer.flush()
      sent.push(producer.metrics().bytesSent)
    })
  }
  t.true((sent[1] as number) < (sent[0] as number), sent.join(' and '))
})

test.serial('settings that contradict each other are refused', (t) => {
  wrong(t, { acks: 1, enableIdempotence: true }, /enableIdempotence/)
  wrong(t, { deliveryTimeoutMs: 10 }, /deliveryTimeoutMs/)
  wrong(t, { batchSize: 0 }, /batchSize/)
  t.throws(() => new Producer({ bootstrapServers: 'localhost' }), { message: /host:port/ })
})

test.serial('the producer id is asked for while metadata is waited for', async (t) => {
  await withProducer({}, async (producer, broker) => {
    broker.missing.add('t')
    const sent = producer.send({ topic: 't', messages: [{ value: 'v' }] })
    for (let turn = 0; turn < 10_000 && broker.initProducerIds === 0; turn++) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    t.is(broker.initProducerIds, 1)
    t.is(broker.requests, 0)
    broker.missing.delete('t')
    await sent
    t.is(broker.initProducerIds, 1)
    t.deepEqual(broker.values('t'), ['v'])
  })
})
