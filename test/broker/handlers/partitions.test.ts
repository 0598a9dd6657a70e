import test from 'ava'
import type { PartitionAnswers, PartitionCommand } from '../../../src/actors/mailbox/partition.ts'
import { listOffsets } from '../../../src/broker/handlers/02-list-offsets.ts'
import { deleteRecords } from '../../../src/broker/handlers/21-delete-records.ts'
import { offsetForLeaderEpoch } from '../../../src/broker/handlers/23-offset-for-leader-epoch.ts'
import { describeProducers } from '../../../src/broker/handlers/61-describe-producers.ts'
import { ListOffsets } from '../../../src/protocol/apis/02-list-offsets.ts'
import { DeleteRecords } from '../../../src/protocol/apis/21-delete-records.ts'
import { OffsetForLeaderEpoch } from '../../../src/protocol/apis/23-offset-for-leader-epoch.ts'
import { DescribeProducers } from '../../../src/protocol/apis/61-describe-producers.ts'
import { ErrorCode, errorName } from '../../../src/protocol/errors.ts'
import { addTopic, TestBroker } from '../../support/cluster.ts'

type Sent = { thread: number; command: PartitionCommand }

/** Topics `a` (4 partitions) and `b` (1), and `internal`; threads answer what `answerOf` says. */
function brokerAnswering(
  answerOf: (slot: number, command: PartitionCommand) => unknown,
  lostThread = -1,
): { broker: TestBroker; sent: Sent[] } {
  const broker = new TestBroker()
  addTopic(broker.image, 'a', { partitions: 4 })
  addTopic(broker.image, 'b')
  addTopic(broker.image, 'internal', { internal: true })
  const sent: Sent[] = []
  Object.assign(broker.context, {
    callPartitions<C extends PartitionCommand>(
      thread: number,
      command: C,
      answer: (result: PartitionAnswers[C['kind']] | undefined) => void,
    ) {
      sent.push({ thread, command })
      const slots = slotsOf(command)
      const result = slots.map((slot) => answerOf(slot, command))
      answer(thread === lostThread ? undefined : (result as unknown as PartitionAnswers[C['kind']]))
    },
  })
  return { broker, sent }
}

function slotsOf(command: PartitionCommand): readonly number[] {
  if ('slots' in command) return command.slots
  const asked = 'markers' in command ? command.markers : command.partitions
  return asked.map(({ slot }) => slot)
}

function slotOf(broker: TestBroker, topic: string, index: number): number {
  return broker.image.topic(topic)?.partitions[index]?.slot ?? -1
}

const offsetOfSlot = (slot: number) => ({
  errorCode: 0,
  timestamp: 1000 + slot,
  offset: 10 * slot,
  leaderEpoch: 5,
})

const asking = (name: string, ...partitions: [index: number, timestamp: number][]) => ({
  name,
  partitions: partitions.map(([partitionIndex, timestamp]) => ({ partitionIndex, timestamp })),
})

for (let version = 1; version <= 11; version++) {
  test(`ListOffsets v${version} answers each partition what its owner says`, (t) => {
    const { broker, sent } = brokerAnswering(offsetOfSlot)
    const topics = [asking('a', [3, 5], [0, -1], [1, -2]), asking('b', [0, 7])]
    const answer = broker.ask(listOffsets, ListOffsets, { replicaId: -1, topics }, version)
    for (const { name, partitions } of answer.topics) {
      for (const { partitionIndex, ...found } of partitions) {
        const expected = offsetOfSlot(slotOf(broker, name, partitionIndex))
        t.deepEqual(found, { ...expected, leaderEpoch: version < 4 ? -1 : 5 })
      }
    }
    t.deepEqual(
      answer.topics.map(({ name, partitions }) => [name, partitions.length]),
      [
        ['a', 3],
        ['b', 1],
      ],
    )
    t.is(new Set(sent.map(({ thread }) => thread)).size, sent.length)
  })
}

test('a named place that the version lacks is UNSUPPORTED_VERSION', (t) => {
  const { broker } = brokerAnswering(offsetOfSlot)
  const firstWith = (timestamp: number) => {
    for (let version = 1; version <= 11; version++) {
      const topics = [asking('a', [0, timestamp])]
      const answer = broker.ask(listOffsets, ListOffsets, { replicaId: -1, topics }, version)
      const errorCode = answer.topics[0]?.partitions[0]?.errorCode
      if (errorCode !== ErrorCode.UNSUPPORTED_VERSION) return version
    }
    return 'never'
  }
  t.deepEqual([-1, -2, -3, -4, -5, -6, -7].map(firstWith), [1, 1, 7, 8, 9, 11, 'never'])
})

test('a partition that is asked for twice is INVALID_REQUEST, once', (t) => {
  const { broker, sent } = brokerAnswering(offsetOfSlot)
  const topics = [asking('a', [0, -1], [1, -1]), asking('a', [1, -2], [1, -2])]
  const answer = broker.ask(listOffsets, ListOffsets, { replicaId: -1, topics })
  t.deepEqual(
    answer.topics.map(({ partitions }) =>
      partitions.map(({ partitionIndex, errorCode }) => [partitionIndex, errorCode]),
    ),
    [
      [
        [0, ErrorCode.NONE],
        [1, ErrorCode.INVALID_REQUEST],
      ],
    ],
  )
  t.is(sent.length, 1)
})

test('read_committed goes to the owner, but a replica reads everything', (t) => {
  for (const [replicaId, expected] of [
    [-1, true],
    [2, false],
  ] as const) {
    const { broker, sent } = brokerAnswering(offsetOfSlot)
    const topics = [asking('b', [0, -1])]
    broker.ask(listOffsets, ListOffsets, { replicaId, isolationLevel: 1, topics })
    const command = sent[0]?.command
    t.is(command?.kind === 'list-offsets' && command.readCommitted, expected)
  }
})

test('unknown partitions and lost threads have their own errors', (t) => {
  const { broker } = brokerAnswering(offsetOfSlot, 0)
  const topics = [asking('a', [0, -1], [1, -1], [9, -1], [-1, -1]), asking('__proto__', [0, -1])]
  const answer = broker.ask(listOffsets, ListOffsets, { replicaId: -1, topics })
  const errors = answer.topics.map(({ partitions }) =>
    partitions.map(({ errorCode }) => errorName(errorCode as ErrorCode)),
  )
  const lost = broker.image.topic('a')?.partitions[0]?.thread === 0 ? 0 : 1
  t.is(errors[0]?.[lost], 'KAFKA_STORAGE_ERROR')
  t.is(errors[0]?.[1 - lost], 'NONE')
  t.deepEqual(errors[0]?.slice(2), ['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_OR_PARTITION'])
  t.deepEqual(errors[1], ['UNKNOWN_TOPIC_OR_PARTITION'])
})

test('ListOffsets of nothing is answered with nothing', (t) => {
  const { broker, sent } = brokerAnswering(offsetOfSlot)
  t.deepEqual(broker.ask(listOffsets, ListOffsets, { replicaId: -1, topics: [] }).topics, [])
  t.is(sent.length, 0)
})

for (let version = 0; version <= 2; version++) {
  test(`DeleteRecords v${version} asks the owners and answers the new log starts`, (t) => {
    const { broker, sent } = brokerAnswering((slot) => ({ errorCode: 0, lowWatermark: slot + 7 }))
    const topics = [
      {
        name: 'a',
        partitions: [0, 1, 2, 9].map((partitionIndex) => ({ partitionIndex, offset: 3 })),
      },
      { name: 'internal', partitions: [{ partitionIndex: 0, offset: -1 }] },
    ]
    const answer = broker.ask(deleteRecords, DeleteRecords, { topics, timeoutMs: 1000 }, version)
    const shown = answer.topics.map(({ partitions }) =>
      partitions.map(({ errorCode, lowWatermark }) => [errorCode, lowWatermark]),
    )
    const startOf = (index: number) => [ErrorCode.NONE, slotOf(broker, 'a', index) + 7]
    t.deepEqual(shown, [
      [startOf(0), startOf(1), startOf(2), [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, -1]],
      [[ErrorCode.INVALID_TOPIC_EXCEPTION, -1]],
    ])
    t.is(new Set(sent.map(({ thread }) => thread)).size, sent.length)
  })
}

for (let version = 2; version <= 4; version++) {
  test(`OffsetForLeaderEpoch v${version} answers the ends that the owners say`, (t) => {
    const { broker, sent } = brokerAnswering((slot) => ({
      errorCode: 0,
      leaderEpoch: 4,
      endOffset: slot + 20,
    }))
    const partitions = [3, 0, 9].map((partition) => ({
      partition,
      currentLeaderEpoch: 6,
      leaderEpoch: 4,
    }))
    const topics = [{ topic: 'a', partitions }]
    const answer = broker.ask(offsetForLeaderEpoch, OffsetForLeaderEpoch, { topics }, version)
    t.deepEqual(answer.topics[0]?.partitions, [
      { partition: 3, errorCode: 0, leaderEpoch: 4, endOffset: slotOf(broker, 'a', 3) + 20 },
      { partition: 0, errorCode: 0, leaderEpoch: 4, endOffset: slotOf(broker, 'a', 0) + 20 },
      { partition: 9, errorCode: 3, leaderEpoch: -1, endOffset: -1 },
    ])
    for (const { command } of sent) {
      if (command.kind !== 'epoch-ends') continue
      for (const asked of command.partitions) {
        t.like(asked, { leaderEpoch: 4, currentLeaderEpoch: 6 })
      }
    }
  })
}

test('DescribeProducers lists what the owners know, and says what a name lacks', (t) => {
  const producer = {
    producerId: 9,
    producerEpoch: 1,
    lastSequence: 4,
    lastTimestamp: 77,
    coordinatorEpoch: -1,
    currentTxnStartOffset: 12,
  }
  const { broker } = brokerAnswering(() => ({ errorCode: 0, producers: [producer] }))
  const topics = [
    { name: 'a', partitionIndexes: [1, 8] },
    { name: 'gone', partitionIndexes: [0] },
    { name: 'bad name', partitionIndexes: [0] },
  ]
  const answer = broker.ask(describeProducers, DescribeProducers, { topics })
  t.deepEqual(answer.topics[0]?.partitions, [
    { partitionIndex: 1, errorCode: 0, errorMessage: null, activeProducers: [producer] },
    { partitionIndex: 8, errorCode: 3, errorMessage: null, activeProducers: [] },
  ])
  const errors = answer.topics.slice(1).map(({ partitions }) => partitions[0]?.errorCode)
  t.deepEqual(errors, [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.INVALID_TOPIC_EXCEPTION])
  t.is(
    answer.topics[1]?.partitions[0]?.errorMessage,
    'This server does not host this topic-partition.',
  )
  t.regex(answer.topics[2]?.partitions[0]?.errorMessage ?? '', /^Topic name is invalid: /)
})
