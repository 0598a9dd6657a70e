/** A start with many groups: how long their log is replayed, and what they take. */
import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { OffsetCommit } from '../../src/protocol/apis/08-offset-commit.ts'
import { cpuSeconds, residentMiB, type Target, targetOf } from '../brokers/target.ts'
import { expectNone, prepare, Wire } from '../brokers/wire.ts'
import { BenchMember } from './classic-member.ts'

const MAIN = path.resolve('dist', 'bundle', 'main.cjs')
const PORT = 27_499
const CONNECTIONS = 50
const OFFSETS_OF_GROUP = 10

/** What a start took. */
export interface ReplayFigures {
  /** From spawn until clients are served, with groups and with nothing at all. */
  readonly readyMs: number
  readonly emptyReadyMs: number
  /** Until the groups were loaded, as the log says. */
  readonly replayMs: number
  /** Of the processor until then, with all that a start takes; and of a start with nothing. */
  readonly cpuMs: number
  readonly emptyCpuMs: number
  readonly residentMiB: number
  readonly emptyMiB: number
}

/** Groups of one member and ten offsets each, written by a broker that is then started again. */
export async function replay(groups: number): Promise<ReplayFigures> {
  const directory = fs.mkdtempSync(path.join('dist', 'bench-replay-'))
  try {
    const first = await start(directory)
    const emptyCpuMs = cpuSeconds(first.target) * 1000
    const empty = { readyMs: first.readyMs, residentMiB: residentMiB(first.target) }
    await fill(first.target, groups)
    await stop(first.child)
    const again = await start(directory)
    const replayMs = await again.loaded
    const figures = {
      readyMs: again.readyMs,
      emptyReadyMs: empty.readyMs,
      replayMs,
      cpuMs: cpuSeconds(again.target) * 1000,
      emptyCpuMs,
      residentMiB: residentMiB(again.target),
      emptyMiB: empty.residentMiB,
    }
    await stop(again.child)
    return figures
  } finally {
    fs.rmSync(directory, { recursive: true, force: true })
  }
}

async function start(directory: string) {
  const beganMs = performance.now()
  const args = [MAIN, 'serve', '--port', String(PORT), '--data-dir', directory]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const loaded = new Promise<number>((resolve) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      const took = /"tookMs":(\d+).*groups are loaded/.exec(line)?.[1]
      if (took !== undefined) resolve(Number(took))
    })
  })
  await new Promise((resolve) => createInterface({ input: child.stdout }).once('line', resolve))
  const readyMs = performance.now() - beganMs
  return { child, loaded, readyMs, target: targetOf(`127.0.0.1:${PORT}`) }
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('close', resolve))
  child.kill('SIGTERM')
  await ended
}

async function fill(target: Target, groups: number): Promise<void> {
  const wires = await Wire.openAll(target, CONNECTIONS)
  await prepare(wires[0] as Wire, 'replay', OFFSETS_OF_GROUP)
  const some = async (wire: Wire, first: number) => {
    for (let i = first; i < groups; i += wires.length) await fillOne(wire, `replay-${i}`)
  }
  await Promise.all(wires.map((wire, i) => some(wire, i)))
  for (const wire of wires) wire.close()
}

async function fillOne(wire: Wire, groupId: string): Promise<void> {
  const member = new BenchMember(wire, groupId, 'replay')
  await member.join()
  await member.sync([{ memberId: member.memberId, assignment: Buffer.alloc(60) }])
  const partitions = Array.from({ length: OFFSETS_OF_GROUP }, (_, partitionIndex) => {
    return { partitionIndex, committedOffset: 4711, committedMetadata: '' }
  })
  const answer = await wire.ask(OffsetCommit, 9, {
    groupId,
    generationIdOrMemberEpoch: member.generationId,
    memberId: member.memberId,
    groupInstanceId: null,
    topics: [{ name: 'replay', partitions }],
  })
  expectNone(answer.topics[0]?.partitions[0]?.errorCode ?? -1, 'OffsetCommit')
}
