/** A share group as Apache Kafka 4.3.1 wrote it, read by us. */
import test from 'ava'
import { replayBatches } from '../../src/actors/coordinator-log.ts'
import { shareGroup } from '../../src/coordinator/group/share-group.ts'
import type { CoordinatorRuntime } from '../../src/coordinator/runtime.ts'
import { SharePartition } from '../../src/coordinator/share/share-partition.ts'
import { ShareStateService } from '../../src/coordinator/share/state-service.ts'
import { consumerOffsetsRecords } from '../../src/protocol/records/consumer-offsets.ts'
import type { RecordSchema } from '../../src/protocol/records/record.ts'
import { shareGroupStateRecords } from '../../src/protocol/records/share-group-state.ts'
import { read } from '../support/source.ts'
import { ConsumerWorld } from './consumer-world.ts'

const TOPIC_ID = 'kJineDbITzuH6w3qjFHSVQ'
const MEMBER = 'AAAAAAAAAAAAAAAAAAAAAQ'

function replay(
  file: string,
  schemas: ReadonlyMap<number, RecordSchema>,
  runtime: CoordinatorRuntime,
): void {
  const bytes = Buffer.from(read(`test/golden/groups/${file}`).replace(/\s/g, ''), 'hex')
  const reader = { codecs: {} as never, decompressedBytesMax: 0, schemas }
  runtime.beginLoad(0)
  replayBatches(reader, bytes, 0, bytes.length, {
    onRecord: (record, producerId) => runtime.replay(0, record, producerId),
    onMarker: () => undefined,
    onStrange: (_, why) => {
      throw new Error(why)
    },
  })
  runtime.finishLoad(0)
}

test('a share group that Kafka wrote is replayed with its member and its partitions', (t) => {
  const { runtime, coordinator } = new ConsumerWorld().service
  replay('share-group.hex', consumerOffsetsRecords, runtime)
  const group = shareGroup(coordinator.groups, 'ge')!
  t.is(group.stateName(), 'Stable')
  t.deepEqual([group.epoch, group.targetEpoch], [3, 3])
  const has = new Map([[TOPIC_ID, [0, 1]]])
  t.like(group.members.get(MEMBER), {
    memberEpoch: 3,
    previousMemberEpoch: 2,
    subscribedTopicNames: ['te'],
    assigned: has,
  })
  t.deepEqual(group.targets.get(MEMBER), has)
  t.deepEqual(group.topics.initialized.get(TOPIC_ID), { name: 'te', partitions: [0, 1] })
  t.is(group.topics.initializing.size, 0)
})

test('a share partition that Kafka wrote goes on behind what was acknowledged', (t) => {
  const service = new ShareStateService({
    host: { append: () => undefined, appendMarker: () => undefined, reload: () => undefined },
    endOffset: () => -1,
    trim: () => undefined,
    now: () => ({ wallMs: 0, monotonicMs: 0 }),
    updatesMax: () => 500,
  })
  service.states.partitionCount = 1
  replay('share-group-state.hex', shareGroupStateRecords, service.runtime)
  const { state } = service.read({ groupId: 'ge', topicId: TOPIC_ID, partition: 0 })
  t.is(state?.stateEpoch, 2)
  t.is(state?.startOffset, 2)
  t.is(state?.deliveryCompleteCount, 2)
  // Kafka writes the start offset with the next acknowledgement only.
  t.is(new SharePartition(2, state?.batches ?? []).startOffset, 4)
})
