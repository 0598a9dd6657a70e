/** Transactions through the codecs: coordinator and offsets in memory, then a whole broker. */
import { crc32c } from '@node-rs/crc32'
import test from 'ava'
import { offsetFetch } from '../../../src/broker/handlers/09-offset-fetch.ts'
import { findCoordinator } from '../../../src/broker/handlers/10-find-coordinator.ts'
import { initProducerId } from '../../../src/broker/handlers/22-init-producer-id.ts'
import { addPartitionsToTxn } from '../../../src/broker/handlers/24-add-partitions-to-txn.ts'
import { addOffsetsToTxn } from '../../../src/broker/handlers/25-add-offsets-to-txn.ts'
import { endTxn } from '../../../src/broker/handlers/26-end-txn.ts'
import { writeTxnMarkers } from '../../../src/broker/handlers/27-write-txn-markers.ts'
import { txnOffsetCommit } from '../../../src/broker/handlers/28-txn-offset-commit.ts'
import { describeTransactions } from '../../../src/broker/handlers/65-describe-transactions.ts'
import { listTransactions } from '../../../src/broker/handlers/66-list-transactions.ts'
import { Broker } from '../../../src/index.ts'
import { Produce } from '../../../src/protocol/apis/00-produce.ts'
import { ListOffsets } from '../../../src/protocol/apis/02-list-offsets.ts'
import { OffsetFetch } from '../../../src/protocol/apis/09-offset-fetch.ts'
import { FindCoordinator } from '../../../src/protocol/apis/10-find-coordinator.ts'
import { InitProducerId } from '../../../src/protocol/apis/22-init-producer-id.ts'
import { AddPartitionsToTxn } from '../../../src/protocol/apis/24-add-partitions-to-txn.ts'
import { AddOffsetsToTxn } from '../../../src/protocol/apis/25-add-offsets-to-txn.ts'
import { EndTxn } from '../../../src/protocol/apis/26-end-txn.ts'
import { WriteTxnMarkers } from '../../../src/protocol/apis/27-write-txn-markers.ts'
import { TxnOffsetCommit } from '../../../src/protocol/apis/28-txn-offset-commit.ts'
import { DescribeTransactions } from '../../../src/protocol/apis/65-describe-transactions.ts'
import { ListTransactions } from '../../../src/protocol/apis/66-list-transactions.ts'
import { ErrorCode } from '../../../src/protocol/errors.ts'
import { buildBatch, TRANSACTIONAL_BIT } from '../../../src/protocol/record-batch.ts'
import { addTopic, TestBroker } from '../../support/cluster.ts'
import { RawClient } from '../../support/raw-client.ts'

const transactionalId = 'x'
const initialization = { transactionalId, transactionTimeoutMs: 1000 }

interface Identity {
  readonly producerId: number
  readonly producerEpoch: number
}

function brokerWithTopics(): TestBroker {
  const configs = {
    'offsets.topic.num.partitions': '2',
    'transaction.state.log.num.partitions': '2',
  }
  const broker = new TestBroker({ configs })
  addTopic(broker.image, 't', { partitions: 2 })
  for (const keyType of [0, 1]) {
    broker.ask(findCoordinator, FindCoordinator, { keyType, key: 'x' }, 1)
  }
  return broker
}

function commit(broker: TestBroker, producer: Identity, offset: number, version = 5): number {
  const { topics } = broker.ask(
    txnOffsetCommit,
    TxnOffsetCommit,
    {
      transactionalId,
      groupId: 'g',
      producerId: producer.producerId,
      producerEpoch: producer.producerEpoch,
      ...(version < 3 ? {} : { memberId: '', groupInstanceId: null }),
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: offset }] }],
    },
    version,
  )
  return topics[0]?.partitions[0]?.errorCode ?? -1
}

function committed(broker: TestBroker): string {
  const groups = [{ groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }] }]
  const answer = broker.ask(offsetFetch, OffsetFetch, { groups, requireStable: true }, 8)
  const one = answer.groups[0]?.topics[0]?.partitions[0]
  return `${one?.errorCode} ${one?.committedOffset}`
}

const end = (broker: TestBroker, { producerId, producerEpoch }: Identity, committing: boolean) =>
  broker.ask(endTxn, EndTxn, { transactionalId, producerId, producerEpoch, committed: committing })

test('offsets hold when their transaction commits, also after a restart', (t) => {
  const broker = brokerWithTopics()
  let producer: Identity = broker.ask(initProducerId, InitProducerId, initialization)
  t.is(commit(broker, producer, 5), ErrorCode.NONE)
  t.is(committed(broker), `${ErrorCode.UNSTABLE_OFFSET_COMMIT} -1`)
  broker.restartCoordinator().advance(1)
  t.is(committed(broker), `${ErrorCode.UNSTABLE_OFFSET_COMMIT} -1`)
  producer = end(broker, producer, true)
  t.is(producer.producerEpoch, 1)
  t.is(committed(broker), '0 5')
  t.is(commit(broker, producer, 9), ErrorCode.NONE)
  end(broker, producer, false)
  t.is(committed(broker), '0 5')
  t.is(commit(broker, producer, 10), ErrorCode.INVALID_PRODUCER_EPOCH)
  broker.restartCoordinator().advance(1)
  t.is(committed(broker), '0 5')
})

test('older clients add the offsets of a group before they commit them', (t) => {
  const broker = brokerWithTopics()
  const { producerId, producerEpoch } = broker.ask(initProducerId, InitProducerId, initialization)
  const producer = { producerId, producerEpoch }
  t.is(commit(broker, producer, 5, 2), ErrorCode.INVALID_TXN_STATE)
  t.is(commit(broker, producer, 5, 4), ErrorCode.TRANSACTION_ABORTABLE)
  const added = { transactionalId, ...producer, groupId: 'g' }
  t.is(broker.ask(addOffsetsToTxn, AddOffsetsToTxn, added).errorCode, ErrorCode.NONE)
  t.is(commit(broker, producer, 5, 2), ErrorCode.NONE)
  const described = broker.ask(describeTransactions, DescribeTransactions, {
    transactionalIds: ['x', 'y'],
  })
  t.deepEqual(
    described.transactionStates.map(({ transactionState }) => transactionState),
    ['Ongoing', ''],
  )
  const listed = broker.ask(listTransactions, ListTransactions, { stateFilters: ['Ongoing', 'No'] })
  t.deepEqual([listed.unknownStateFilters, listed.transactionStates.length], [['No'], 1])
})

test('where one partition is not there, none is added', (t) => {
  const broker = brokerWithTopics()
  const { producerId, producerEpoch } = broker.ask(initProducerId, InitProducerId, initialization)
  const add = (partitions: number[]) => {
    const request = {
      v3AndBelowTransactionalId: transactionalId,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: [{ name: 't', partitions }],
    }
    const answer = broker.ask(addPartitionsToTxn, AddPartitionsToTxn, request, 3)
    return answer.resultsByTopicV3AndBelow.flatMap(({ resultsByPartition }) => {
      return resultsByPartition.map((one) => one.partitionErrorCode)
    })
  }
  t.deepEqual(add([0, 7]), [
    ErrorCode.OPERATION_NOT_ATTEMPTED,
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ])
  t.deepEqual(add([0, 1]), [ErrorCode.NONE, ErrorCode.NONE])
  const transaction = { transactionalId, producerId, producerEpoch, verifyOnly: true }
  const topics = [{ name: 't', partitions: [0] }]
  const other = { ...transaction, transactionalId: 'other' }
  const batched = broker.ask(addPartitionsToTxn, AddPartitionsToTxn, {
    transactions: [
      { ...transaction, topics },
      { ...other, topics },
    ],
  })
  t.deepEqual(
    batched.resultsByTransaction.map(({ topicResults }) => {
      return topicResults[0]?.resultsByPartition[0]?.partitionErrorCode
    }),
    [ErrorCode.NONE, ErrorCode.INVALID_PRODUCER_ID_MAPPING],
  )
})

test('markers are written where partitions are, and refused of nobody', (t) => {
  const broker = brokerWithTopics()
  const marker = {
    producerId: 5,
    producerEpoch: 0,
    transactionResult: false,
    coordinatorEpoch: 0,
    topics: [{ name: 't', partitionIndexes: [0, 9] }],
  }
  const answer = broker.ask(writeTxnMarkers, WriteTxnMarkers, {
    markers: [marker, { ...marker, producerEpoch: -1 }],
  })
  t.deepEqual(
    answer.markers.map(({ topics }) => topics[0]?.partitions.map((one) => one.errorCode)),
    [
      [ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
      [ErrorCode.UNKNOWN_SERVER_ERROR, ErrorCode.UNKNOWN_SERVER_ERROR],
    ],
  )
})

/** A broker with threads of its own, and one connection to it. */
class Wire {
  readonly client: RawClient

  constructor(client: RawClient) {
    this.client = client
  }

  async produce(producer: Identity, index: number, sequence: number, version: number) {
    const { producerId, producerEpoch } = producer
    const records = buildBatch(
      {
        records: [{ key: null, value: Buffer.from('v'), timestamp: Date.now() }],
        attributes: TRANSACTIONAL_BIT,
        producerId,
        producerEpoch,
        baseSequence: sequence,
      },
      crc32c,
    )
    const answer = await this.client.request(Produce, version, {
      transactionalId,
      acks: -1,
      timeoutMs: 1000,
      topicData: [{ name: 't', partitionData: [{ index, records }] }],
    })
    return answer?.responses[0]?.partitionResponses[0]?.errorCode
  }

  async initialize(): Promise<Identity> {
    for (;;) {
      const answer = await this.client.request(InitProducerId, 5, initialization)
      if (answer?.errorCode === ErrorCode.NONE) return answer
    }
  }

  async end(producer: Identity, committing: boolean, version = 5) {
    const { producerId, producerEpoch } = producer
    const request = { transactionalId, producerId, producerEpoch, committed: committing }
    return await this.client.request(EndTxn, version, request)
  }

  /** The last stable offset of a partition. */
  async stableOffset(partitionIndex: number) {
    const answer = await this.client.request(ListOffsets, 5, {
      replicaId: -1,
      isolationLevel: 1,
      topics: [{ name: 't', partitions: [{ partitionIndex, timestamp: -1 }] }],
    })
    return answer?.topics[0]?.partitions[0]?.offset
  }
}

for (const shards of ['0', '2']) {
  test(`records of a transaction are stable when it has ended, with ${shards} shards`, async (t) => {
    const broker = await Broker.start({
      storage: 'memory',
      profile: 'strict',
      config: { 'odradek.shards': shards },
      topics: [{ topic: 't', numPartitions: 2 }],
    })
    const port = Number((await broker.listen()).split(':').at(-1))
    const client = await RawClient.connect(port)
    const wire = new Wire(client)
    await client.request(FindCoordinator, 4, { keyType: 1, coordinatorKeys: ['x'] })
    const first = await wire.initialize()
    t.is(await wire.produce(first, 0, 0, 11), ErrorCode.TRANSACTION_ABORTABLE)
    t.is(await wire.produce(first, 0, 0, 9), ErrorCode.INVALID_TXN_STATE)
    for (const index of [0, 1]) t.is(await wire.produce(first, index, 0, 12), ErrorCode.NONE)
    t.is(await wire.produce(first, 0, 1, 12), ErrorCode.NONE)
    t.is(await wire.stableOffset(0), 0)
    const second = (await wire.end(first, true)) as Identity
    t.is(second.producerEpoch, 1)
    t.is(await wire.produce(first, 0, 2, 12), ErrorCode.INVALID_PRODUCER_EPOCH)
    t.is(await wire.produce(second, 0, 0, 12), ErrorCode.NONE)
    t.is(await wire.stableOffset(0), 3)
    t.is(await wire.produce(second, 0, 1, 11), ErrorCode.NONE, 'it is open here')
    const third = (await wire.end(second, false)) as Identity
    t.is(await wire.produce(third, 1, 0, 12), ErrorCode.NONE)
    t.is(await wire.stableOffset(0), 6)
    client.close()
    await broker.stop()
  })
}
