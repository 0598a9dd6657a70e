/** OffsetCommit as fast as the broker answers: each connection sends its next one at once. */
import { setTimeout as sleep } from 'node:timers/promises'
import { OffsetCommit } from '../../src/protocol/apis/08-offset-commit.ts'
import { cpuSeconds, type Target } from '../brokers/target.ts'
import { answerOf, expectNone, frameOf, prepare, Wire } from '../brokers/wire.ts'

const CONNECTIONS = 32
const WARM_UP_MS = 3000
const VERSION = 9

/** What one broker did. */
export interface CommitFigures {
  readonly perSecond: number
  readonly perCpuSecond: number
}

/** Commits of one partition each, of groups without members, on 32 connections. */
export async function commits(target: Target, timeMs: number): Promise<CommitFigures> {
  const wires = await Wire.openAll(target, CONNECTIONS)
  const topic = `commits-${Date.now()}`
  await prepare(wires[0] as Wire, topic, 1)
  let count = 0
  let running = true
  const ended = wires.map((wire, i) => {
    const frame = frameOf(OffsetCommit, VERSION, requestOf(`${topic}-${i}`, topic))
    return new Promise<void>((resolve) => {
      const next = () =>
        wire.send(frame, (answer) => {
          if (count++ < CONNECTIONS) check(answer)
          if (running) next()
          else resolve()
        })
      next()
    })
  })
  await sleep(WARM_UP_MS)
  const before = { count, cpu: cpuSeconds(target), ms: performance.now() }
  await sleep(timeMs)
  const done = count - before.count
  const seconds = (performance.now() - before.ms) / 1000
  const cpu = cpuSeconds(target) - before.cpu
  running = false
  await Promise.all(ended)
  for (const wire of wires) wire.close()
  return { perSecond: done / seconds, perCpuSecond: done / cpu }
}

function requestOf(groupId: string, name: string) {
  const one = { partitionIndex: 0, committedOffset: 4711, committedLeaderEpoch: -1 }
  return {
    groupId,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    topics: [{ name, partitions: [{ ...one, committedMetadata: '' }] }],
  }
}

function check(frame: Buffer): void {
  const { topics } = answerOf(OffsetCommit, VERSION, frame)
  expectNone(topics[0]?.partitions[0]?.errorCode ?? -1, 'OffsetCommit')
}
