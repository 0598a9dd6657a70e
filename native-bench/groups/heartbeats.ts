/** Many groups of one member each, all of which live: what their heartbeats cost. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Heartbeat } from '../../src/protocol/apis/12-heartbeat.ts'
import { cpuSeconds, residentMiB, type Target } from '../brokers/target.ts'
import { answerOf, expectNone, frameOf, prepare, Wire } from '../brokers/wire.ts'
import { BenchMember } from './classic-member.ts'

/** The default of Kafka's consumers. */
const INTERVAL_MS = 3000
const CONNECTIONS = 1000
const VERSION = 4

/** What one broker took. */
export interface HeartbeatFigures {
  /** Of one core, with heartbeats and without. */
  readonly coreShare: number
  readonly idleShare: number
  readonly cpuMicros: number
  readonly residentMiB: number
}

/** `members` in as many groups, each of which is heard every 3 s, evenly spread. */
export async function heartbeats(
  target: Target,
  members: number,
  timeMs: number,
): Promise<HeartbeatFigures> {
  const wires = await Wire.openAll(target, Math.min(CONNECTIONS, members))
  const topic = `heartbeats-${Date.now()}`
  await prepare(wires[0] as Wire, topic, 1)
  const all = await joinAll(wires, members, topic)
  const idle = await measure(target, timeMs / 2)
  const beats = new Beats(all)
  await sleep(INTERVAL_MS * 2)
  const sentBefore = beats.sent
  const busy = await measure(target, timeMs)
  const sent = beats.sent - sentBefore
  beats.end()
  const figures = {
    coreShare: busy.share,
    idleShare: idle.share,
    cpuMicros: (busy.cpu / sent) * 1e6,
    residentMiB: residentMiB(target),
  }
  for (const wire of wires) wire.close()
  return figures
}

/** Members of one connection join one after the other. */
async function joinAll(
  wires: readonly Wire[],
  count: number,
  topic: string,
): Promise<BenchMember[]> {
  const members = Array.from({ length: count }, (_, i) => {
    return new BenchMember(wires[i % wires.length] as Wire, `${topic}-${i}`, topic)
  })
  const join = async (first: number) => {
    for (let i = first; i < count; i += wires.length) {
      const member = members[i] as BenchMember
      await member.join()
      await member.sync([{ memberId: member.memberId, assignment: Buffer.alloc(20) }])
    }
  }
  await Promise.all(wires.map((_, i) => join(i)))
  return members
}

async function measure(target: Target, timeMs: number): Promise<{ share: number; cpu: number }> {
  const [cpuBefore, beganMs] = [cpuSeconds(target), performance.now()]
  await sleep(timeMs)
  const cpu = cpuSeconds(target) - cpuBefore
  return { cpu, share: cpu / ((performance.now() - beganMs) / 1000) }
}

/** Sends what is due each millisecond, so that the broker sees few at once. */
class Beats {
  sent = 0
  readonly #frames: readonly { wire: Wire; frame: Buffer }[]
  readonly #beganMs = performance.now()
  readonly #timer: NodeJS.Timeout

  constructor(members: readonly BenchMember[]) {
    this.#frames = members.map(({ wire, groupId, memberId, generationId }) => {
      const request = { groupId, generationId, memberId, groupInstanceId: null }
      return { wire, frame: frameOf(Heartbeat, VERSION, request) }
    })
    this.#timer = setInterval(() => this.#onTick(), 1)
  }

  end(): void {
    clearInterval(this.#timer)
  }

  #onTick(): void {
    const { length } = this.#frames
    const due = Math.floor(((performance.now() - this.#beganMs) / INTERVAL_MS) * length)
    while (this.sent < due) {
      const { wire, frame } = this.#frames[this.sent % length] as { wire: Wire; frame: Buffer }
      const isFirst = this.sent++ < length
      wire.send(frame, (answer) => {
        if (!isFirst) return
        expectNone(answerOf(Heartbeat, VERSION, answer).errorCode, 'Heartbeat')
      })
    }
  }
}
