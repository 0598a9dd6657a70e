/** Records of groups as lines of a transcript. */
import type { CoordinatorRecord } from '../../src/coordinator/runtime.ts'

interface Partitions {
  readonly topicId: string
  /** Of tasks of streams groups, instead of a topic. */
  readonly subtopologyId?: string
  /** Absent where a record names topics as wholes. */
  readonly partitions?: readonly number[]
  readonly assignmentEpochs?: readonly number[] | null
}

/** Without what only numbers the metadata; topics by name. */
export function recordLine(
  { schema, key, value }: CoordinatorRecord,
  topicName: (id: string) => string,
): string {
  const what = schema.key.name.replace(/Key$/, '').replace(/^ConsumerGroup(?=.)/, '')
  const keys = Object.entries(key).filter(([name]) => name !== 'groupId' && name !== 'group')
  const subject = keys.map(([, text]) => String(text)).join(' ')
  const head = subject === '' ? what : `${what} ${subject}`
  if (value === null) return `${head} -`
  const fields = Object.entries(value)
    .filter(([name]) => !SILENT.has(name))
    .map(([name, field]) => {
      // The states of streams groups are numbered from 1.
      const streams = name === 'state' && what.startsWith('Streams')
      const value = streams ? (field as number) - 1 : field
      return `${name}=${fieldText(name, value, topicName)}`
    })
    .filter((text) => !text.endsWith('='))
  return `${head} ${fields.join(' ')}`
}

/** Clients, clocks and hashes say nothing about a group. */
const SILENT = new Set([
  'clientId',
  'clientHost',
  'metadataHash',
  'version',
  'timestamp',
  'assignmentTimestamp',
  'commitTimestamp',
  'expireTimestamp',
  'currentStateTimestamp',
  'topicId',
  'leaderEpoch',
  'rackId',
])

const STATES = ['stable', 'unrevoked', 'unreleased']

function fieldText(name: string, field: unknown, topicName: (id: string) => string): string {
  if (field === null) return ''
  if (name === 'state') return STATES[field as number] ?? String(field)
  if (name === 'subtopologies') return (field as Partitions[]).map(subtopologyText).join(',')
  if (name === 'userEndpoint') return Object.values(field as object).join(':')
  if (name === 'clientTags' || name === 'lastAssignmentConfigs') {
    return (field as { key: string; value: string }[]).map((m) => `${m.key}:${m.value}`).join(',')
  }
  if (name === 'classicMemberMetadata') return 'yes'
  if (name === 'members') return (field as { memberId: string }[]).map((m) => m.memberId).join(',')
  if (Array.isArray(field) && typeof field[0] === 'object') {
    return (field as Partitions[]).map((one) => partitionsText(one, topicName)).join(';')
  }
  return String(field)
}

function subtopologyText({ subtopologyId }: Partitions): string {
  return String(subtopologyId)
}

function partitionsText(
  { topicId, subtopologyId, partitions, assignmentEpochs }: Partitions,
  topicName: (id: string) => string,
): string {
  if (partitions === undefined) return topicName(topicId)
  const numbers = partitions.map((partition, i) => {
    const epoch = assignmentEpochs?.[i]
    return epoch === undefined ? partition : `${partition}@${epoch}`
  })
  return `${subtopologyId ?? topicName(topicId)}:${numbers.join(',')}`
}
