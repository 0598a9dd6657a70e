/**
 * Topics that come and go while the broker is killed: what was acknowledged holds, nothing is left
 * over.
 */
import fs from 'node:fs'
import { Metadata } from '../../src/protocol/apis/03-metadata.ts'
import { CreateTopics } from '../../src/protocol/apis/19-create-topics.ts'
import { DeleteTopics } from '../../src/protocol/apis/20-delete-topics.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import { ConnectionLost, type RawConnection } from '../support/raw-connection.ts'
import { pause } from '../support/seeded.ts'
import { offsetOf } from './read-back.ts'
import { Broken, type Subject } from './subject.ts'

const NAMES = 12
const TASKS = 4
const PARTITIONS = 3
const KILLS = 4

/** What is known of a name; `unsure`: a request for it was not answered. */
type State = 'there' | 'gone' | 'unsure'

/** Creates and deletes topics over several connections through several kills. */
export async function topicsRace(subject: Subject): Promise<string> {
  const states = new Map<string, State>()
  for (let i = 0; i < NAMES; i++) states.set(`race-${i}`, 'gone')
  let answered = 0
  for (let kill = 0; kill < KILLS; kill++) {
    const tasks = Array.from({ length: TASKS }, (_, task) => toggle(subject, states, task))
    await pause(subject.random.between(20, 300))
    await subject.kill()
    for (const count of await Promise.all(tasks)) answered += count
    await subject.start()
    await check(subject, states)
  }
  const connection = await subject.connect()
  for (const name of states.keys()) {
    if ((await askCreate(connection, name)) === ErrorCode.TOPIC_ALREADY_EXISTS) {
      const errorCode = await askDelete(connection, name)
      if (errorCode !== ErrorCode.NONE) throw new Broken(`${name} cannot be deleted: ${errorCode}`)
      const again = await askCreate(connection, name)
      if (again !== ErrorCode.NONE) throw new Broken(`${name} cannot be made again: ${again}`)
    }
    const end = await offsetOf(connection, name, PARTITIONS - 1, -1)
    if (end !== 0) throw new Broken(`${name} is new and ends at ${end}`)
    await askDelete(connection, name)
    states.set(name, 'gone')
  }
  connection.close()
  await check(subject, states)
  return `${KILLS} kills, ${answered} answers`
}

/** Makes and deletes the names of one task until the broker is gone; counts the answers. */
async function toggle(subject: Subject, states: Map<string, State>, task: number): Promise<number> {
  const random = subject.random.fork()
  const connection = await subject.connect()
  const mine = [...states.keys()].filter((_, i) => i % TASKS === task)
  let answered = 0
  for (;;) {
    const name = random.pick(mine)
    const state = states.get(name)
    states.set(name, 'unsure')
    try {
      const errorCode =
        state === 'there' ? await askDelete(connection, name) : await askCreate(connection, name)
      if (errorCode !== ErrorCode.NONE) throw new Broken(`${name} is ${state}, error ${errorCode}`)
    } catch (error) {
      if (error instanceof ConnectionLost) return answered
      throw error
    }
    states.set(name, state === 'there' ? 'gone' : 'there')
    answered++
  }
}

/** Compares what the broker says, and what lies in its directory, with what is known. */
async function check(subject: Subject, states: Map<string, State>): Promise<void> {
  const connection = await subject.connect()
  const { topics } = await connection.ask(Metadata, 8, { topics: null })
  connection.close()
  const there = new Map(topics.map((topic) => [topic.name ?? '', topic]))
  for (const [name, state] of states) {
    const topic = there.get(name)
    if (state === 'there' && topic === undefined) throw new Broken(`${name} is lost`)
    if (state === 'gone' && topic !== undefined) throw new Broken(`${name} is back`)
    if (topic !== undefined && topic.partitions.length !== PARTITIONS) {
      throw new Broken(`${name} has ${topic.partitions.length} partitions`)
    }
    states.set(name, topic === undefined ? 'gone' : 'there')
  }
  await checkFiles(subject, states)
}

/** The files of deleted topics go behind the back, so they get some time. */
async function checkFiles(subject: Subject, states: ReadonlyMap<string, State>): Promise<void> {
  const expected = [...states].filter(([, state]) => state === 'there').map(([name]) => name)
  const directories = expected.flatMap((name) =>
    Array.from({ length: PARTITIONS }, (_, index) => `${name}-${index}`),
  )
  const wanted = directories.sort().join(' ')
  let found = ''
  for (let attempt = 0; attempt < 100; attempt++) {
    const names = fs.readdirSync(subject.dataDir).filter((name) => name.startsWith('race-'))
    found = names.sort().join(' ')
    if (found === wanted) return
    await pause(50)
  }
  throw new Broken(`the data directory has\n${found}\ninstead of\n${wanted}`)
}

async function askCreate(connection: RawConnection, name: string): Promise<number> {
  const answer = await connection.ask(CreateTopics, 5, {
    topics: [{ name, numPartitions: PARTITIONS, replicationFactor: 1 }],
  })
  return answer.topics[0]?.errorCode ?? -1
}

async function askDelete(connection: RawConnection, name: string): Promise<number> {
  const answer = await connection.ask(DeleteTopics, 5, { topicNames: [name], timeoutMs: 10_000 })
  return answer.responses[0]?.errorCode ?? -1
}
