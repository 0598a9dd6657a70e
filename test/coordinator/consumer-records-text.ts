/** Records of groups as lines of a transcript. */
import type { CoordinatorRecord } from '../../src/coordinator/runtime.ts'

interface Partitions {
  readonly topicId: string
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
    .map(([name, field]) => `${name}=${fieldText(name, field, topicName)}`)
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
  if (name === 'classicMemberMetadata') return 'yes'
  if (name === 'members') return (field as { memberId: string }[]).map((m) => m.memberId).join(',')
  if (Array.isArray(field) && typeof field[0] === 'object') {
    return (field as Partitions[]).map((one) => partitionsText(one, topicName)).join(';')
  }
  return String(field)
}

function partitionsText(
  { topicId, partitions, assignmentEpochs }: Partitions,
  topicName: (id: string) => string,
): string {
  if (partitions === undefined) return topicName(topicId)
  const numbers = partitions.map((partition, i) => {
    const epoch = assignmentEpochs?.[i]
    return epoch === undefined ? partition : `${partition}@${epoch}`
  })
  return `${topicName(topicId)}:${numbers.join(',')}`
}
