/**
 * The language of test/scenarios/group/delivery-*.txt: the records of one share group, over logs in
 * memory and a clock that stands still. Offsets are of partition 0 of the topic t, all ten bytes.
 *
 *   produce COUNT                        one batch
 *   config KEY=VALUE                     of the group g
 *   fetch MEMBER EPOCH [wait=MS] [max=N] [exact=1] [acks=0-2:1,3:2]
 *   ack MEMBER EPOCH [acks=…] [renew=1]
 *   gone MEMBER                          its connection
 *   log-start OFFSET · tick MS · restart · stop · fail · state
 */

import type { ClusterImage } from '../../src/cluster/image.ts'
import { effectiveGroup, groupDefaults } from '../../src/config/effective.ts'
import type { ShareFetchPlan, ShareOutcome } from '../../src/coordinator/share/commands.ts'
import type { LogWaiter, ShareHost } from '../../src/coordinator/share/host.ts'
import { ShareService } from '../../src/coordinator/share/service.ts'
import { ShareStateService } from '../../src/coordinator/share/state-service.ts'
import { ErrorCode, errorName } from '../../src/protocol/errors.ts'
import { addTopic, emptyImage } from '../support/cluster.ts'

const GROUP = 'g'
const RECORD_BYTES = 10

/** Runs the commands of one scenario. */
export class DeliveryScript {
  readonly #image: ClusterImage
  readonly #topicId: string
  readonly #batches: { first: number; last: number }[] = []
  readonly #waiters = new Set<LogWaiter>()
  #timers: { atMs: number; then: () => void }[] = []
  #logStart = 0
  #nowMs = 0
  #failsNext = false
  readonly #states: ShareStateService
  #service: ShareService
  #lines: string[] = []

  constructor(configs: Readonly<Record<string, string>> = {}) {
    this.#image = emptyImage({ configs })
    addTopic(this.#image, 't', { partitions: 1 })
    this.#topicId = this.#image.topic('t')!.id
    this.#states = new ShareStateService({
      host: {
        append: (_, __, done) => {
          const failed = this.#failsNext
          this.#failsNext = false
          done(failed ? ErrorCode.KAFKA_STORAGE_ERROR : ErrorCode.NONE)
        },
        appendMarker: (_, __, done) => done(ErrorCode.NONE),
        reload: () => undefined,
      },
      endOffset: () => 0,
      trim: () => undefined,
      now: () => ({ wallMs: this.#nowMs, monotonicMs: this.#nowMs }),
      updatesMax: () => 500,
    })
    this.#states.states.partitionCount = 1
    this.#states.runtime.beginLoad(0)
    this.#states.runtime.finishLoad(0)
    const starts = [{ topicId: this.#topicId, partition: 0, startOffset: -1 }]
    this.#states.initialize(GROUP, { stateEpoch: 1, onlyNew: true, starts }, () => undefined)
    this.#service = new ShareService(this.#host())
  }

  /** The transcript of some lines. */
  run(text: string): string {
    this.#lines = []
    for (const line of text.split('\n')) {
      if (line.trim() === '' || line.startsWith('#')) continue
      const [name = '', ...rest] = line.trim().split(/\s+/)
      const given = new Map(
        rest
          .filter((word) => word.includes('='))
          .map((word) => word.split('=') as [string, string]),
      )
      this.#command(
        name,
        rest.filter((word) => !word.includes('=')),
        given,
      )
    }
    return this.#lines.join('\n')
  }

  #say(line: string): void {
    this.#lines.push(line)
  }

  #command(name: string, [first = '', second = '']: string[], given: ReadonlyMap<string, string>) {
    const commands: Record<string, () => void> = {
      produce: () => this.#produce(Number(first)),
      config: () => this.#configure(given),
      fetch: () => this.#fetch(first, Number(second), given),
      ack: () => this.#acknowledge(first, Number(second), given),
      gone: () => this.#service.onDisconnect((connection) => connection === first),
      'log-start': () => {
        this.#logStart = Number(first)
        this.#wake()
      },
      tick: () => this.#tick(Number(first)),
      restart: () => {
        this.#timers = []
        this.#waiters.clear()
        this.#service = new ShareService(this.#host())
      },
      stop: () => this.#service.stop(),
      fail: () => {
        this.#failsNext = true
      },
      state: () => this.#state(),
    }
    const run = commands[name]
    if (run === undefined) throw new Error(`no command ${name}`)
    run()
  }

  get #logEnd(): number {
    return (this.#batches[this.#batches.length - 1]?.last ?? -1) + 1
  }

  #produce(count: number): void {
    this.#batches.push({ first: this.#logEnd, last: this.#logEnd + count - 1 })
    this.#wake()
  }

  #configure(given: ReadonlyMap<string, string>): void {
    const configs = [...(this.#image.groupConfigs.get(GROUP) ?? []), ...given]
    this.#image.apply({ kind: 'group-configs-set', group: GROUP, configs })
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) {
      this.#waiters.delete(waiter)
      waiter.wake()
    }
  }

  #tick(ms: number): void {
    const endMs = this.#nowMs + ms
    for (;;) {
      const due = this.#timers
        .filter(({ atMs }) => atMs <= endMs)
        .sort((a, b) => a.atMs - b.atMs)[0]
      if (due === undefined) break
      this.#nowMs = Math.max(this.#nowMs, due.atMs)
      this.#timers = this.#timers.filter((one) => one !== due)
      due.then()
    }
    this.#nowMs = endMs
  }

  #fetch(memberId: string, epoch: number, given: ReadonlyMap<string, string>): void {
    const maxRecords = Number(given.get('max') ?? 100)
    const request = {
      ...this.#request(memberId, epoch, given),
      maxWaitMs: Number(given.get('wait') ?? 0),
      minBytes: 1,
      maxBytes: 1_000_000,
      maxRecords,
      batchSize: 100,
      shareAcquireMode: 0,
      forgottenTopicsData: [],
    }
    // Each member has a connection of its own.
    const connection = memberId
    this.#service.onCommand({ kind: 'share-fetch', connection, request }, (answer) => {
      if (answer.errorCode !== ErrorCode.NONE) {
        this.#say(`${memberId}: ${errorName(answer.errorCode)}`)
        return
      }
      this.#outcomes(memberId, answer.acknowledged)
      this.#acquire(memberId, answer.plan, { maxRecords, exact: given.has('exact') })
    })
  }

  /** What a handler does with a plan. */
  #acquire(
    memberId: string,
    { targets, failed }: ShareFetchPlan,
    options: { maxRecords: number; exact: boolean },
  ): void {
    for (const { errorCode } of failed) this.#say(`${memberId}: ${errorName(errorCode)}`)
    const reads = targets.map(({ topicId, partition, fetchOffset }) => {
      const batches = this.#batches.filter(({ last }) => {
        return last >= fetchOffset && last >= this.#logStart
      })
      const bounds = batches.flatMap(({ first, last }) => [first, last])
      const errorCode = ErrorCode.NONE
      return { topicId, partition, errorCode, fetchOffset, bounds, aborted: [] }
    })
    const command = { kind: 'share-acquire' as const, groupId: GROUP, memberId, batchSize: 100 }
    this.#service.onCommand({ ...command, ...options, reads }, (acquired) => {
      const ranges = acquired.flat().map(({ firstOffset, lastOffset, deliveryCount }) => {
        return `${firstOffset}-${lastOffset} (${deliveryCount})`
      })
      this.#say(`${memberId}: ${ranges.join(' ') || 'nothing'}`)
    })
  }

  #acknowledge(memberId: string, epoch: number, given: ReadonlyMap<string, string>): void {
    const request = this.#request(memberId, epoch, given)
    this.#service.onCommand({ kind: 'share-acknowledge', request }, (answer) => {
      if (answer.errorCode) this.#say(`${memberId}: ${errorName(answer.errorCode)}`)
      this.#outcomes(memberId, answer.acknowledged)
    })
  }

  #outcomes(memberId: string, outcomes: readonly ShareOutcome[]): void {
    for (const { errorCode } of outcomes) {
      this.#say(`${memberId}: ${errorCode ? errorName(errorCode) : 'acknowledged'}`)
    }
  }

  #request(memberId: string, epoch: number, given: ReadonlyMap<string, string>) {
    const acknowledgementBatches = (given.get('acks') ?? '')
      .split(',')
      .filter(Boolean)
      .map((text) => {
        const [range = '', types = ''] = text.split(':')
        const [first = 0, last = first] = range.split('-').map(Number)
        const acknowledgeTypes = [...types].map(Number)
        return { firstOffset: first, lastOffset: last, acknowledgeTypes }
      })
    const names = epoch === 0 || acknowledgementBatches.length > 0
    const partitions = [{ partitionIndex: 0, acknowledgementBatches }]
    return {
      groupId: GROUP,
      memberId,
      shareSessionEpoch: epoch,
      isRenewAck: given.has('renew'),
      topics: names ? [{ topicId: this.#topicId, partitions }] : [],
    }
  }

  /** What the share coordinator keeps. */
  #state(): void {
    const key = { groupId: GROUP, topicId: this.#topicId, partition: 0 }
    const state = this.#states.states.read(key)
    const batches = state?.batches.map(
      ({ firstOffset, lastOffset, deliveryState, deliveryCount }) =>
        `${firstOffset}-${lastOffset}:${deliveryState}x${deliveryCount}`,
    )
    this.#say(
      [`starts at ${state?.startOffset}, done ${state?.deliveryCompleteCount}`, ...(batches ?? [])]
        .join(' ')
        .trim(),
    )
  }

  #host(): ShareHost {
    const defaults = groupDefaults(this.#image.brokerConfig)
    return {
      image: this.#image,
      groupConfig: (group) => {
        const own = this.#image.groupConfigs.get(group)
        return own === undefined ? defaults : effectiveGroup(own, defaults)
      },
      monotonicMs: () => this.#nowMs,
      wallMs: () => this.#nowMs,
      after: (delayMs, then) => {
        const timer = { atMs: this.#nowMs + delayMs, then }
        this.#timers.push(timer)
        return () => {
          this.#timers = this.#timers.filter((one) => one !== timer)
        }
      },
      readState: (key, done) => {
        const { errorCode, state } = this.#states.read(key)
        done(errorCode, state)
      },
      writeState: (key, write, done) => this.#states.write(key, write, done),
      findOffset: (_, { timestamp }, done) => {
        done(ErrorCode.NONE, timestamp === -1 ? this.#logEnd : this.#logStart)
      },
      lookAhead: (asked, _, done) => {
        done(
          asked.map(({ fetchOffset }) => {
            const outside = fetchOffset < this.#logStart || fetchOffset > this.#logEnd
            if (outside) return { errorCode: ErrorCode.OFFSET_OUT_OF_RANGE, bytes: 0 }
            const bytes = (this.#logEnd - fetchOffset) * RECORD_BYTES
            return { errorCode: ErrorCode.NONE, bytes }
          }),
        )
      },
      waitFor: (waiter) => this.#waiters.add(waiter),
      stopWaiting: (waiter) => this.#waiters.delete(waiter),
    }
  }
}
