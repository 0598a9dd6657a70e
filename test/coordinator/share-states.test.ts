/** The share coordinator: what it keeps is what its log says, also after older records are gone. */
import test from 'ava'
import fc from 'fast-check'
import type { EncodedRecord } from '../../src/coordinator/runtime.ts'
import { SHARE_RECORDS_MAX, ShareStateService } from '../../src/coordinator/share/state-service.ts'
import type { ShareKey } from '../../src/coordinator/share/states.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import { decodeKey, decodeValue, recordTypeOf } from '../../src/protocol/records/record.ts'
import { shareGroupStateRecords } from '../../src/protocol/records/share-group-state.ts'
import { Seeded } from '../support/seeded.ts'

const keys: readonly ShareKey[] = [0, 1, 2].map((partition) => {
  return { groupId: 'g', topicId: 'abcdefghijklmnopqrstuA', partition }
})

/** A log of one partition, and the coordinator on it. */
class World {
  log: EncodedRecord[] = []
  start = 0
  trims = 0
  service = this.#load()
  readonly #updatesMax: number

  constructor(updatesMax: number) {
    this.#updatesMax = updatesMax
  }

  restart(): void {
    this.service = this.#load()
  }

  write(key: ShareKey, firstOffset: number, deliveryState: number): ErrorCode {
    let outcome: ErrorCode = ErrorCode.UNKNOWN_SERVER_ERROR
    const changes = [{ firstOffset, lastOffset: firstOffset + 1, deliveryState, deliveryCount: 1 }]
    const write = { stateEpoch: 9, leaderEpoch: 0, startOffset: firstOffset - 3, changes }
    this.service.write(key, { ...write, deliveryCompleteCount: 0 }, (errorCode) => {
      outcome = errorCode
    })
    return outcome
  }

  states() {
    return keys.map((key) => this.service.read(key).state)
  }

  #load(): ShareStateService {
    const service = new ShareStateService({
      host: {
        append: (_, { records }, done) => {
          this.log.push(...records)
          done(ErrorCode.NONE)
        },
        appendMarker: (_, __, done) => done(ErrorCode.NONE),
        reload: () => undefined,
      },
      endOffset: () => this.log.length,
      trim: (_, offset) => {
        this.start = offset
        this.trims++
      },
      now: () => ({ wallMs: 0, monotonicMs: 0 }),
      updatesMax: () => this.#updatesMax,
    })
    service.states.partitionCount = 1
    service.runtime.beginLoad(0)
    for (const { key, value } of this.log.slice(this.start)) {
      const schema = shareGroupStateRecords.get(recordTypeOf(key))!
      const decoded = value === null ? null : decodeValue(schema, value)
      const version = schema.value.versions[1]
      const record = { schema, key: decodeKey(schema, key), value: decoded, version }
      service.runtime.replay(0, record, -1)
    }
    service.runtime.finishLoad(0)
    return service
  }
}

function initialized(world: World, key: ShareKey): void {
  const { groupId, topicId, partition } = key
  const starts = [{ topicId, partition, startOffset: -1 }]
  world.service.initialize(groupId, { stateEpoch: 1, onlyNew: true, starts }, () => undefined)
}

test('a start finds what was kept', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0 }), fc.constantFrom(0, 3, 500), (seed, updatesMax) => {
      const random = new Seeded(seed)
      const world = new World(updatesMax)
      for (let i = 0; i < 60; i++) {
        const key = random.pick(keys)
        const dice = random.between(0, 19)
        if (dice === 0) {
          world.service.delete(key.groupId, [key], () => undefined)
        } else if (dice < 3) initialized(world, key)
        else world.write(key, random.between(0, 30), random.pick([0, 2, 4]))
        const before = world.states()
        if (dice < 6) world.restart()
        if (JSON.stringify(world.states()) !== JSON.stringify(before)) return false
      }
      return true
    }),
  )
  t.pass()
})

test('who knows an older start of a share partition is refused', (t) => {
  const world = new World(500)
  const [key] = keys as [ShareKey]
  t.is(world.write(key, 5, 2), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  initialized(world, key)
  t.is(world.write(key, 5, 2), ErrorCode.NONE)
  const { topicId, partition } = key
  const starts = [{ topicId, partition, startOffset: 7 }]
  world.service.initialize('g', { stateEpoch: 20, onlyNew: false, starts }, () => undefined)
  t.is(world.write(key, 5, 2), ErrorCode.FENCED_STATE_EPOCH)
  t.is(world.states()[0]?.startOffset, 7)
})

test('what a start reads is bounded: older records are deleted', (t) => {
  const world = new World(500)
  for (const key of keys) initialized(world, key)
  for (let i = 0; i < 2.5 * SHARE_RECORDS_MAX; i++) world.write(keys[0]!, i, 2)
  world.write(keys[1]!, 3, 0)
  t.is(world.trims, 2)
  t.true(world.log.length - world.start < SHARE_RECORDS_MAX)
  const before = world.states()
  world.restart()
  t.deepEqual(world.states(), before)
})
