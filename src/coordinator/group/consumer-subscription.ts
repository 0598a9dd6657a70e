/**
 * What a group reads when one of its members is about to change: topic names, regular expressions,
 * the epoch that follows. KIP-848.
 */
import { ErrorCode } from '../../protocol/errors.ts'
import type { CoordinatorRecord } from '../runtime.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerMember, regexOf, sameNames } from './consumer-member.ts'
import {
  epochRecord,
  olderMetadataTombstone,
  type ResolvedRegex,
  regexRecord,
  regexTombstone,
} from './consumer-records.ts'
import { isRefusal, type Refusal, refuse } from './consumer-refusal.ts'
import { type TopicDirectory, topicsHash } from './consumer-topics.ts'
import type { RegexEngine } from './regex.ts'

/** The shortest time between two looks at all topics for the expressions of one group. */
export const REGEX_REFRESH_MS_MIN = 10_000
/** The longest time; Kafka's default of group.consumer.regex.refresh.interval.ms. */
export const REGEX_REFRESH_MS_MAX = 600_000

/** A group of which members go, or one becomes another. */
export interface MemberChange {
  readonly group: ConsumerGroup
  readonly topics: TopicDirectory
  /** See GroupParts. Asked for only where there are expressions. */
  regexEngine(): RegexEngine | undefined
  readonly nowMs: number
  /** Members of the group that go, or in whose place `next` comes. */
  readonly leaving: readonly ConsumerMember[]
  readonly next?: ConsumerMember
  /** What the change logs. */
  readonly records: CoordinatorRecord[]
}

/** The expressions after the change. */
export interface RegexOutcome {
  readonly regexes: ReadonlyMap<string, ResolvedRegex>
  /** Whether the group now reads other topics, or may. */
  readonly changed: boolean
}

/**
 * Resolves the expression that a member brings, drops the one that nobody has any more, and now and
 * then resolves all again. In the same turn: the time is bounded by REGEX_PROGRAM_MAX.
 */
export function updateRegexes(change: MemberChange): RegexOutcome | Refusal {
  const { group, records, leaving, next } = change
  const wanted = regexOf(next)
  const regexes = new Map(group.regexes)
  let changed = next !== undefined && regexOf(leaving[0]) !== wanted
  for (const regex of group.regexes.keys()) {
    const left = leaving.filter((member) => regexOf(member) === regex).length
    if (regex === wanted || (group.regexMembers.get(regex) ?? 0) > left) continue
    records.push(regexTombstone(group.groupId, regex))
    regexes.delete(regex)
  }
  // Without the engine, what an older broker left unresolved has to wait for another heartbeat.
  const engine = wanted === undefined ? undefined : change.regexEngine()
  if (engine !== undefined && wanted !== undefined && !regexes.has(wanted)) {
    const resolved = resolve(change, engine, wanted)
    if (isRefusal(resolved)) return resolved
    changed = true
    regexes.set(wanted, resolved)
    records.push(regexRecord(group.groupId, wanted, resolved))
  }
  if (engine !== undefined && mustRefresh(change, regexes)) {
    group.regexesResolvedMs = change.nowMs
    group.regexesChecked = change.topics.changeCount
    for (const [regex, known] of regexes) {
      const resolved = resolve(change, engine, regex)
      if (isRefusal(resolved) || sameNames(resolved.topics, known.topics)) continue
      changed = true
      regexes.set(regex, resolved)
      records.push(regexRecord(group.groupId, regex, resolved))
    }
  }
  return { regexes, changed }
}

function mustRefresh(
  { group, topics, nowMs }: MemberChange,
  regexes: ReadonlyMap<string, ResolvedRegex>,
): boolean {
  let resolvedMs = group.regexesResolvedMs
  for (const { timestampMs } of regexes.values()) resolvedMs = Math.max(resolvedMs, timestampMs)
  const ageMs = nowMs - resolvedMs
  if (ageMs > REGEX_REFRESH_MS_MAX) return true
  return ageMs > REGEX_REFRESH_MS_MIN && group.regexesChecked !== topics.changeCount
}

function resolve(
  { topics, nowMs }: MemberChange,
  engine: RegexEngine,
  regex: string,
): ResolvedRegex | Refusal {
  const compiled = engine.compile(regex)
  if (typeof compiled === 'string') {
    return refuse(
      ErrorCode.INVALID_REGULAR_EXPRESSION,
      `SubscribedTopicRegex \`${regex}\` is not a valid regular expression: ${compiled}.`,
    )
  }
  const names: string[] = []
  for (const { name } of topics.topics()) if (compiled.fits(name)) names.push(name)
  return { topics: names, version: topics.changeCount, timestampMs: nowMs }
}

/**
 * The epoch of the group after the change: one more if `changed`, or if the topics that it reads
 * are not what they were.
 */
export function nextEpoch(
  change: MemberChange,
  regexes: ReadonlyMap<string, ResolvedRegex>,
  changed: boolean,
): number {
  const { group, topics, records } = change
  if (!changed && group.topicsChecked === topics.changeCount) return group.epoch
  group.topicsChecked = topics.changeCount
  const hash = topicsHash(namesAfter(change, regexes), topics)
  if (group.hasOlderMetadata) records.push(olderMetadataTombstone(group.groupId))
  if (!changed && hash === group.metadataHash) return group.epoch
  records.push(epochRecord(group.groupId, group.epoch + 1, hash))
  return group.epoch + 1
}

/** Names of all topics that members read after the change. */
export function namesAfter(
  { group, leaving, next }: MemberChange,
  regexes: ReadonlyMap<string, ResolvedRegex>,
): Set<string> {
  const names = new Set(group.nameMembers.keys())
  const left = new Map<string, number>()
  for (const { subscribedTopicNames } of leaving) {
    for (const name of subscribedTopicNames) left.set(name, (left.get(name) ?? 0) + 1)
  }
  for (const [name, count] of left) if (group.nameMembers.get(name) === count) names.delete(name)
  for (const name of next?.subscribedTopicNames ?? []) names.add(name)
  for (const { topics } of regexes.values()) for (const name of topics) names.add(name)
  return names
}
