/** What the differential test sends: one request of one version, told apart by its scenario. */

import type { Handler } from '../../../src/broker/handlers/handler.ts'
import { handlers } from '../../../src/broker/handlers/index.ts'
import type { Api, RequestInput } from '../../../src/protocol/schema.ts'
import type { Side } from './side.ts'

/** One request. It is sent to both brokers, whose answers have to be equal. */
export interface Case {
  /** What is tried, in a few words; with API and version it names the case. */
  readonly scenario: string
  readonly api: Api
  readonly version: number
  /** The body. Ids are the broker's own, so it is asked for once a broker. */
  readonly body: (side: Side) => unknown
  readonly clientId: string | null
  /** Spoils the frame, size included. */
  readonly spoil: ((frame: Buffer) => Buffer) | undefined
  /** A right broker does not answer at all: Produce with acks=0. */
  readonly silent: boolean
  /** Kafka never answers, which is its fault: waiting for it is cut short. */
  readonly hangsKafka: boolean
  /** The version of the answer, where that is not the request's. */
  readonly answerVersion: number
  /** Metadata changes: the next case has to wait until both brokers know. */
  readonly changesMetadata: boolean
  /** Is sent only when both brokers act on all metadata that they acknowledged. */
  readonly needsMetadata: boolean
  /** Looks at an answer for what a later case needs. */
  readonly learn: ((side: Side, answer: never) => void) | undefined
}

/** What a scenario may say beyond its body. */
export interface CaseOptions {
  /** First and last version; default: all that are served. */
  since?: number
  until?: number
  clientId?: string | null
  spoil?: (frame: Buffer) => Buffer
  silent?: boolean
  hangsKafka?: boolean
  answerVersion?: number
  changesMetadata?: boolean
  needsMetadata?: boolean
  learn?: (side: Side, answer: never) => void
}

/** Numbers in [0, 1) that a seed decides. Source: mulberry32. */
export function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** One scenario in each version that is served. */
export function inAllVersions<A extends Api>(
  api: A,
  scenario: string,
  body: (side: Side, version: number) => RequestInput<A>,
  options: CaseOptions = {},
): Case[] {
  const [lowest, highest] = servedVersions(api)
  const since = Math.max(lowest, options.since ?? 0)
  const until = Math.min(highest, options.until ?? Infinity)
  const cases: Case[] = []
  for (let version = since; version <= until; version++) {
    cases.push({
      scenario,
      api,
      version,
      body: (side) => body(side, version),
      clientId: options.clientId === undefined ? 'differential' : options.clientId,
      spoil: options.spoil,
      silent: options.silent ?? false,
      hangsKafka: options.hangsKafka ?? false,
      answerVersion: options.answerVersion ?? version,
      changesMetadata: options.changesMetadata ?? false,
      needsMetadata: options.needsMetadata ?? false,
      learn: options.learn,
    })
  }
  return cases
}

/** The versions that our broker serves. */
export function servedVersions(api: Api): readonly [number, number] {
  const handler = handlers.find((one: Handler) => one.api === api)
  if (!handler) throw new Error(`${api.name} is not served`)
  return handler.served
}
