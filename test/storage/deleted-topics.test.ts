import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { putDeletedTopicsAside } from '../../src/storage/deleted-topics.ts'
import { openMetadataStore } from '../../src/storage/metadata-store.ts'

const OLD = 'oldoldoldoldoldoldoldA'
const NEW = 'newnewnewnewnewnewnewA'

function temporary(t: ExecutionContext): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'odradek-deleted-'))
  t.teardown(() => fs.rmSync(directory, { recursive: true, force: true }))
  return directory
}

function partition(dataDir: string, name: string, topicId: string | undefined, files: string[]) {
  const directory = path.join(dataDir, name)
  fs.mkdirSync(directory)
  for (const file of files) fs.writeFileSync(path.join(directory, file), 'x')
  const metadata = path.join(directory, 'partition.metadata')
  if (topicId !== undefined) fs.writeFileSync(metadata, `version: 0\ntopic_id: ${topicId}\n`)
}

test('only the directories of the deleted topic itself are put aside', (t) => {
  const dataDir = temporary(t)
  const segment = '00000000000000000000.log'
  partition(dataDir, 'a-0', OLD, [segment])
  partition(dataDir, 'a-1', NEW, [segment])
  partition(dataDir, 'a-2', undefined, ['partition.metadata.tmp'])
  partition(dataDir, 'a-3', undefined, [segment])
  partition(dataDir, 'b-0', OLD, [segment])
  putDeletedTopicsAside(dataDir, [{ name: 'a', id: OLD, partitions: 5 }])
  const left = [`a-0.${OLD}-delete`, 'a-1', `a-2.${OLD}-delete`, 'a-3', 'b-0']
  t.deepEqual(fs.readdirSync(dataDir).sort(), left)
})

test('a deleted topic is known until its files are forgotten, also after a crash', async (t) => {
  const directory = path.join(temporary(t), 'metadata')
  const store = openMetadataStore(directory)
  const partitions = [
    { slot: 0, createdAtStart: 1 },
    { slot: 1, createdAtStart: 1 },
  ]
  const topic = { name: 'a', id: OLD, internal: false, partitions, configs: [] }
  store.append([{ kind: 'topic-created', ...topic }])
  t.deepEqual(store.deletedTopics(), [])
  store.append([{ kind: 'topic-deleted', name: 'a', id: OLD }])
  await store.close()
  const again = openMetadataStore(directory)
  t.deepEqual(again.deletedTopics(), [{ name: 'a', id: OLD, partitions: 2 }])
  again.forgetDeleted(again.deletedTopics())
  t.deepEqual(again.deletedTopics(), [])
  await again.close()
})
