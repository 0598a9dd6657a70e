import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { alterConfigs } from '../../src/cluster/alter-configs.ts'
import { createPartitions } from '../../src/cluster/create-partitions.ts'
import { createTopics } from '../../src/cluster/create-topics.ts'
import { deleteTopics } from '../../src/cluster/delete-topics.ts'
import type { MetadataDelta } from '../../src/cluster/delta.ts'
import type { ClusterImage } from '../../src/cluster/image.ts'
import { lmdbFileProblem } from '../../src/storage/lmdb-check.ts'
import { openMetadataStore } from '../../src/storage/metadata-store.ts'
import { StorageError } from '../../src/storage/storage-error.ts'
import { applyAll, countingIds, emptyImage } from '../support/cluster.ts'

function scratch(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'odradek-metadata.'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, 'metadata')
}

function topicCreated(name: string, partitions = 1, firstSlot = 0): MetadataDelta {
  return {
    kind: 'topic-created',
    name,
    id: Buffer.from(name.padEnd(16, '.')).toString('base64url').slice(0, 22),
    internal: false,
    partitions: Array.from({ length: partitions }, (_, index) => ({
      slot: firstSlot + index,
      createdAtStart: 1,
    })),
    configs: [['retention.ms', '5']],
  }
}

/** Everything that an image shows, as one value. */
function shown(image: ClusterImage) {
  return {
    topics: image.topics().map(({ name, id, internal, partitions, configs }) => ({
      name,
      id,
      internal,
      partitions: partitions.map(({ slot, leaderEpoch }) => [slot, leaderEpoch]),
      configs: [...configs],
    })),
    brokers: ['', '1'].map((broker) => [...image.brokerConfigs(broker)]),
    groups: [...image.groupConfigs].map(([name, texts]) => [name, ...texts]).sort(),
    clientMetrics: [...image.clientMetrics].map(([name, texts]) => [name, ...texts]).sort(),
    nextSlot: image.nextSlot,
  }
}

test('a new store has a cluster id that stays, or the one that was wished for', async (t) => {
  const directory = scratch(t)
  const store = openMetadataStore(directory, '')
  const { clusterId } = store.load()
  t.regex(clusterId, /^[A-Za-z0-9_-]{22}$/)
  await store.close()
  const again = openMetadataStore(directory, 'wished-for-later-aaaaA')
  t.is(again.load().clusterId, clusterId)
  await again.close()
  const other = openMetadataStore(scratch(t), 'wished-for-at-first-aA')
  t.is(other.load().clusterId, 'wished-for-at-first-aA')
  await other.close()
})

test('starts are counted, and producer ids never come again', async (t) => {
  const directory = scratch(t)
  const store = openMetadataStore(directory)
  t.is(store.beginStart(), 1)
  t.is(store.nextProducerIdBlock(), 0)
  t.is(store.nextProducerIdBlock(), 1000)
  await store.close()
  const again = openMetadataStore(directory)
  t.is(again.load().startCount, 1)
  t.is(again.beginStart(), 2)
  t.is(again.nextProducerIdBlock(), 2000)
  await again.close()
})

test('slots stay used after the topic with the highest one is gone', async (t) => {
  const directory = scratch(t)
  const store = openMetadataStore(directory)
  const created = topicCreated('a', 5)
  store.append([created])
  store.append([{ kind: 'topic-deleted', name: 'a', id: (created as { id: string }).id }])
  await store.close()
  const again = openMetadataStore(directory)
  t.deepEqual(again.load().deltas, [{ kind: 'slots-reserved', next: 5 }])
  await again.close()
})

test('a topic of ten thousand partitions and a group with a long name are kept', async (t) => {
  const directory = scratch(t)
  const store = openMetadataStore(directory)
  const group = 'ü'.repeat(20_000)
  const configs = [['consumer.session.timeout.ms', '50000']] as const
  const deltas = [
    topicCreated('big', 10_000),
    { kind: 'group-configs-set', group, configs } as const,
  ]
  store.append(deltas)
  await store.close()
  const again = openMetadataStore(directory)
  t.deepEqual(again.load().deltas, [{ kind: 'slots-reserved', next: 10_000 }, ...deltas])
  t.is(lmdbFileProblem(join(directory, 'data.mdb')), null)
  await again.close()
})

test('what is reopened shows what was decided before, whatever it was', async (t) => {
  const names = fc.constantFrom('a', 'b.c', '__proto__', '__consumer_offsets')
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('create' as const),
      name: names,
      count: fc.integer({ min: 1, max: 4 }),
    }),
    fc.record({ kind: fc.constant('delete' as const), name: names }),
    fc.record({
      kind: fc.constant('grow' as const),
      name: names,
      count: fc.integer({ min: 1, max: 6 }),
    }),
    fc.record({
      kind: fc.constant('alter' as const),
      name: fc.constantFrom('a', '1', '', 'g'),
      type: fc.constantFrom(2, 4, 16, 32),
      operation: fc.constantFrom(0, 1),
    }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const directory = mkdtempSync(join(tmpdir(), 'odradek-metadata.'))
      const store = openMetadataStore(directory)
      const image = emptyImage()
      const newId = countingIds()
      for (const each of steps) {
        const deltas = decide(image, each, newId)
        store.append(deltas)
        applyAll(image, deltas)
      }
      await store.close()
      const again = openMetadataStore(directory)
      const reloaded = emptyImage()
      applyAll(reloaded, again.load().deltas)
      await again.close()
      rmSync(directory, { recursive: true })
      t.deepEqual(shown(reloaded), shown(image))
    }),
    { numRuns: 25 },
  )
})

type Step =
  | { kind: 'create' | 'grow'; name: string; count: number }
  | { kind: 'delete'; name: string }
  | { kind: 'alter'; name: string; type: number; operation: number }

function decide(image: ClusterImage, step: Step, newId: () => string): readonly MetadataDelta[] {
  switch (step.kind) {
    case 'create': {
      const shape = {
        numPartitions: step.count,
        replicationFactor: 1,
        assignments: [],
        configs: [],
      }
      const topics = [{ name: step.name, ...shape }]
      return createTopics(image, { topics, validateOnly: false }, newId).deltas
    }
    case 'delete':
      return deleteTopics(image, [{ name: step.name, id: 'AAAAAAAAAAAAAAAAAAAAAA' }]).deltas
    case 'grow': {
      const topics = [{ name: step.name, count: step.count, assignments: null }]
      return createPartitions(image, topics, false).deltas
    }
    case 'alter': {
      const { type, name, operation } = step
      const key = ({ 2: 'retention.ms', 4: 'message.max.bytes', 16: 'interval.ms' } as const)[type]
      const setting = key ?? 'consumer.session.timeout.ms'
      const alterations = [{ name: setting, operation, value: '50000' }]
      const resources = [{ type, name, alterations }]
      return alterConfigs(image, { incremental: true, validateOnly: false, resources }).deltas
    }
  }
}

/** A closed store with a few hundred topics, and its data file. */
async function filled(t: ExecutionContext): Promise<{ directory: string; file: string }> {
  const directory = scratch(t)
  const store = openMetadataStore(directory)
  store.append(Array.from({ length: 300 }, (_, at) => topicCreated(`topic-${at}`, 3, at * 3)))
  store.append([topicCreated('big', 2000, 1000)])
  await store.close()
  return { directory, file: join(directory, 'data.mdb') }
}

test('a cut or overwritten file is refused with a sentence and never opened', async (t) => {
  const { directory, file } = await filled(t)
  const sound = readFileSync(file)
  t.is(lmdbFileProblem(file), null)
  const damages: [string, (bytes: Buffer) => Buffer][] = [
    ['cut in half', (bytes) => bytes.subarray(0, 4096 * Math.floor(bytes.length / 8192))],
    ['only its meta pages', (bytes) => bytes.subarray(0, 8192)],
    ['a hundred bytes', (bytes) => bytes.subarray(0, 100)],
    ['all junk', (bytes) => Buffer.alloc(bytes.length, 0x5a)],
    [
      'junk behind the meta pages',
      (bytes) => Buffer.concat([bytes.subarray(0, 8192), Buffer.alloc(bytes.length - 8192, 0x5a)]),
    ],
  ]
  for (const [what, damage] of damages) {
    writeFileSync(file, damage(Buffer.from(sound)))
    const error = t.throws(() => openMetadataStore(directory), { instanceOf: StorageError }, what)
    t.regex(error?.message ?? '', /metadata in .* is damaged: /, what)
  }
})

test('a flipped byte in a value is found when it is loaded', async (t) => {
  const { directory, file } = await filled(t)
  const bytes = readFileSync(file)
  for (let at = bytes.indexOf('topic-77'); at >= 0; at = bytes.indexOf('topic-77', at + 1))
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
  writeFileSync(file, bytes)
  const store = openMetadataStore(directory)
  const error = t.throws(() => store.load(), { instanceOf: StorageError })
  t.regex(error?.message ?? '', /is damaged at "topic /)
  await store.close()
})

test('random damage of the structure never ends the walk with anything but a sentence', async (t) => {
  const { file } = await filled(t)
  const sound = readFileSync(file)
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(sound.length - 1), fc.integer({ min: 1, max: 255 })), {
        minLength: 1,
      }),
      fc.option(fc.nat(sound.length)),
      (flips, length) => {
        const bytes = Buffer.from(sound)
        for (const [at, mask] of flips) bytes.writeUInt8(bytes.readUInt8(at) ^ mask, at)
        writeFileSync(file, bytes)
        if (length !== null) truncateSync(file, length)
        const problem = lmdbFileProblem(file)
        return problem === null || problem.length > 0
      },
    ),
    { numRuns: 100 },
  )
  t.pass()
})

test('an empty file becomes a new store', async (t) => {
  const { directory, file } = await filled(t)
  truncateSync(file, 0)
  const store = openMetadataStore(directory)
  t.deepEqual(store.load().deltas, [{ kind: 'slots-reserved', next: 0 }])
  await store.close()
})
