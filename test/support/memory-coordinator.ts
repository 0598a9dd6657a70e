/** The coordinator actor over logs in memory, with a clock that the test turns. */
import { crc32c } from '@node-rs/crc32'
import { Coordinator } from '../../src/actors/coordinator.ts'
import type { ControllerAnswers, ControllerCommand } from '../../src/actors/mailbox/controller.ts'
import type { ReadResult } from '../../src/actors/partition-requests.ts'
import { Purgatory } from '../../src/broker/purgatory.ts'
import type { ClusterImage } from '../../src/cluster/image.ts'
import { markerBatch } from '../../src/log/marker.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import { lastOffsetDelta, setBaseOffset } from '../../src/protocol/record-batch.ts'
import { Seeded } from './seeded.ts'

interface MemoryLog {
  endOffset: number
  readonly batches: { baseOffset: number; bytes: Buffer }[]
}

/** What outlives a coordinator: the partitions of its topic. */
export class MemoryLogs {
  readonly #bySlot = new Map<number, MemoryLog>()
  /** What appends answer instead of writing; NONE: they write. */
  appendOutcome: ErrorCode = ErrorCode.NONE
  /** Reads of this slot answer this instead. */
  readonly readOutcomes = new Map<number, ErrorCode>()
  /** Messages of the coordinators. */
  readonly messages: string[] = []

  log(slot: number): MemoryLog {
    const log = this.#bySlot.get(slot) ?? { endOffset: 0, batches: [] }
    this.#bySlot.set(slot, log)
    return log
  }

  append(slot: number, batch: Buffer): ErrorCode {
    if (this.appendOutcome !== ErrorCode.NONE) return this.appendOutcome
    const log = this.log(slot)
    const bytes = Buffer.from(batch)
    setBaseOffset(bytes, 0, log.endOffset)
    log.batches.push({ baseOffset: log.endOffset, bytes })
    log.endOffset += lastOffsetDelta(bytes, 0) + 1
    return ErrorCode.NONE
  }

  read(slot: number, fetchOffset: number, maxBytes: number): ReadResult {
    const { batches, endOffset } = this.log(slot)
    const errorCode = this.readOutcomes.get(slot) ?? ErrorCode.NONE
    const taken: Buffer[] = []
    let size = 0
    for (const { baseOffset, bytes } of batches) {
      if (baseOffset < fetchOffset || (size > 0 && size + bytes.length > maxBytes)) continue
      taken.push(bytes)
      size += bytes.length
    }
    const bytes = Buffer.concat(taken)
    const read = { buffer: { id: 1, bytes, refs: 1 }, from: 0, to: size, nextOffset: endOffset }
    return {
      errorCode,
      highWatermark: endOffset,
      lastStableOffset: endOffset,
      logStartOffset: 0,
      read: size === 0 || errorCode !== ErrorCode.NONE ? undefined : { ...read, corrupt: false },
      availableBytes: size,
      aborted: null,
      divergingEpoch: undefined,
    }
  }
}

/** A coordinator with its timers, which run when `advance` is called. */
export class MemoryCoordinator {
  readonly actor: Coordinator
  /** Who waits for partitions; `wake` of it tells that one advanced. */
  readonly waiters = new Purgatory()
  nowMs = 1_700_000_000_000
  #timers: { atMs: number; then: () => void }[] = []

  constructor(
    image: ClusterImage,
    logs: MemoryLogs,
    callController: <C extends ControllerCommand>(
      command: C,
      answer: (result: ControllerAnswers[C['kind']] | undefined) => void,
    ) => void,
  ) {
    const random = new Seeded(1)
    const say = (message: string) => logs.messages.push(message)
    this.actor = new Coordinator({
      image,
      clock: { wallMs: () => this.nowMs, monotonicMs: () => this.nowMs },
      pool: { release: () => undefined } as never,
      codecs: {} as never,
      crc32c: (bytes) => crc32c(bytes),
      log: { debug: say, info: say, warn: say, error: say },
      random: () => random.next(),
      append: (slot, batch, sink) => {
        sink.onAppended(0, { errorCode: logs.append(slot, batch) } as never)
      },
      appendMarker: (slot, marker, done) => done(logs.append(slot, markerBatch(marker, 0, crc32c))),
      startOffset: () => 0,
      endOffset: (slot) => logs.log(slot).endOffset,
      read: (slot, fetchOffset, maxBytes) => logs.read(slot, fetchOffset, maxBytes),
      readPartitions: (_, order, done) => {
        done(
          order.partitions.map(({ slot, fetchOffset }) => {
            const { errorCode, availableBytes } = logs.read(slot, fetchOffset, order.maxBytes)
            return { errorCode, availableBytes }
          }),
        )
      },
      waiters: this.waiters,
      callPartitions: (_, command, answer) => {
        if (command.kind === 'write-markers') {
          const written = command.markers.map((marker) => ({
            errorCode: logs.append(marker.slot, markerBatch(marker, 0, crc32c)),
          }))
          answer(written as never)
          return
        }
        if (command.kind !== 'list-offsets') throw new Error(`${command.kind} is not expected`)
        const found = command.partitions.map(({ slot, timestamp }) => {
          const offset = timestamp === -2 ? 0 : logs.log(slot).endOffset
          return { errorCode: ErrorCode.NONE, timestamp: -1, offset, leaderEpoch: 0 }
        })
        answer(found as never)
      },
      callController,
      after: (delayMs, then) => this.#after(delayMs, then),
      soon: (then) => {
        this.#after(0, then)
      },
    })
  }

  /** Time passes, and what falls due on the way is run. */
  advance(ms: number): void {
    const endMs = this.nowMs + ms
    for (;;) {
      const next = this.#timers.reduce((min, { atMs }) => Math.min(min, atMs), Infinity)
      if (next > endMs) break
      this.nowMs = Math.max(this.nowMs, next)
      const due = this.#timers.filter(({ atMs }) => atMs <= this.nowMs)
      this.#timers = this.#timers.filter(({ atMs }) => atMs > this.nowMs)
      for (const { then } of due) then()
    }
    this.nowMs = endMs
  }

  #after(delayMs: number, then: () => void): () => void {
    const timer = { atMs: this.nowMs + delayMs, then }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer)
    }
  }
}
