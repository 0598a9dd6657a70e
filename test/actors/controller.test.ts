import test from 'ava'
import { CONTROLLER_QUEUE_MAX, Controller } from '../../src/actors/controller.ts'
import type { MetadataDelta } from '../../src/cluster/delta.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import { StorageError } from '../../src/storage/storage-error.ts'
import { addTopic, emptyImage, type ImageParts } from '../support/cluster.ts'

/** A controller whose threads acknowledge when the test says so, with a log of what happened. */
function controllerOf(parts: ImageParts & { diskFails?: boolean } = {}) {
  const image = emptyImage(parts)
  const log: string[] = []
  const acknowledge: (() => void)[] = []
  const failIfBroken = () => {
    if (parts.diskFails) throw new StorageError('the disk is full')
  }
  const controller = new Controller({
    image,
    store: {
      append: (deltas: readonly MetadataDelta[]) => {
        failIfBroken()
        log.push(`kept ${deltas.map(({ kind }) => kind)} of ${image.topicCount} topics`)
      },
      nextProducerIdBlock: () => {
        failIfBroken()
        return 3000
      },
    },
    onLowered: () => {},
    broadcast: ({ deltas }, done) => {
      log.push(`told ${deltas.length} of ${image.topicCount} topics`)
      acknowledge.push(done)
    },
    onStorageError: ({ message }) => log.push(message),
  })
  return { image, controller, log, acknowledge }
}

function createTopic(name: string) {
  const shape = { numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
  return { kind: 'create-topics', topics: [{ name, ...shape }], validateOnly: false } as const
}

test('a change is kept, then applied, then told, and answered when all threads know it', (t) => {
  const { controller, log, acknowledge } = controllerOf()
  controller.onCommand(createTopic('a'), (answers) =>
    log.push(`answered ${answers?.[0]?.errorCode}`),
  )
  t.deepEqual(log, ['kept topic-created of 0 topics', 'told 1 of 1 topics'])
  acknowledge[0]?.()
  t.is(log.at(-1), 'answered 0')
})

test('commands run one after another, in the order of their coming', (t) => {
  const { controller, log, acknowledge } = controllerOf()
  const answered: string[] = []
  for (const name of ['a', 'b', 'a'])
    controller.onCommand(createTopic(name), (answers) => {
      answered.push(`${name} ${answers?.[0]?.errorCode}`)
    })
  t.is(log.length, 2)
  acknowledge[0]?.()
  t.deepEqual(answered, ['a 0'])
  acknowledge[1]?.()
  t.deepEqual(answered, ['a 0', 'b 0', `a ${ErrorCode.TOPIC_ALREADY_EXISTS}`])
})

test('an answer may bring the next command', (t) => {
  const { controller, acknowledge, image } = controllerOf()
  controller.onCommand(createTopic('a'), () => controller.onCommand(createTopic('b'), () => {}))
  acknowledge[0]?.()
  acknowledge[1]?.()
  t.is(image.topicCount, 2)
})

test('what changes nothing is neither kept nor told', (t) => {
  const { controller, log } = controllerOf()
  let errorCode: number | undefined
  controller.onCommand({ ...createTopic('a'), validateOnly: true }, (answers) => {
    errorCode = answers?.[0]?.errorCode
  })
  t.is(errorCode, ErrorCode.NONE)
  t.deepEqual(log, [])
})

test('what the disk refuses is not there, and the answer says so', (t) => {
  const { controller, image, log } = controllerOf({ diskFails: true })
  const codes: (number | undefined)[] = []
  controller.onCommand(createTopic('a'), (answers) => codes.push(answers?.[0]?.errorCode))
  controller.onCommand(createTopic(''), (answers) => codes.push(answers?.[0]?.errorCode))
  controller.onCommand({ kind: 'allocate-producer-ids' }, (block) => codes.push(block?.errorCode))
  t.deepEqual(codes, [
    ErrorCode.KAFKA_STORAGE_ERROR,
    ErrorCode.INVALID_TOPIC_EXCEPTION,
    ErrorCode.KAFKA_STORAGE_ERROR,
  ])
  t.is(image.topicCount, 0)
  t.deepEqual(log, ['the disk is full', 'the disk is full'])
})

test('producer ids come in blocks of a thousand', (t) => {
  const { controller } = controllerOf()
  controller.onCommand({ kind: 'allocate-producer-ids' }, (block) => {
    t.deepEqual(block, { errorCode: 0, first: 3000, count: 1000 })
  })
  t.plan(1)
})

test('delete.topic.enable=false keeps every topic', (t) => {
  const { controller, image } = controllerOf({ configs: { 'delete.topic.enable': 'false' } })
  addTopic(image, 'a')
  const topics = [{ name: 'a', id: 'AAAAAAAAAAAAAAAAAAAAAA' }]
  controller.onCommand({ kind: 'delete-topics', topics }, (answers) => {
    t.is(answers?.[0]?.errorCode, ErrorCode.TOPIC_DELETION_DISABLED)
  })
  t.is(image.topicCount, 1)
})

test('a full queue answers at once that there is no room', (t) => {
  const { controller, acknowledge } = controllerOf()
  const answered: unknown[] = []
  // One is under way, and so many may wait.
  for (let count = 0; count < 1 + CONTROLLER_QUEUE_MAX; count++)
    controller.onCommand({ kind: 'delete-topics', topics: [] }, () => {})
  controller.onCommand(createTopic('a'), () => {})
  for (let count = 0; count < CONTROLLER_QUEUE_MAX; count++)
    controller.onCommand(createTopic('b'), () => {})
  controller.onCommand(createTopic('c'), (answers) => answered.push(answers))
  t.deepEqual(answered, [undefined])
  t.is(acknowledge.length, 1)
})
