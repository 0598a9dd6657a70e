/**
 * Answers without what two brokers cannot have in common: ids, ports, times, sizes of volumes,
 * texts for people, and the order of things that have none.
 */
import { ZERO_UUID } from '../../../src/base/uuid.ts'
import * as batch from '../../../src/protocol/record-batch.ts'
import { crc32c } from '../../log/batches.ts'
import type { Case } from './case.ts'
import type { Outcome, Side } from './side.ts'

/** A plain value that two brokers should agree upon. */
export type Normal = null | boolean | number | string | Normal[] | { [name: string]: Normal }

const NOW_MS_MAX = 30 * 60_000

/** Numbers that are each broker's own. */
const OWN_NUMBERS = new Set([
  'ApiVersions finalizedFeaturesEpoch',
  'DescribeLogDirs totalBytes',
  'DescribeLogDirs usableBytes',
  'DescribeQuorum highWatermark',
  'DescribeQuorum logEndOffset',
  'DescribeQuorum leaderEpoch',
  'InitProducerId producerId',
])

/** Lists whose order says something. */
const ORDERED = new Set(['synonyms', 'batches', 'replicaNodes', 'isrNodes'])
/** Fields that name an element of a list, so that lists can be laid beside each other. */
const NAMES = [
  ...['name', 'topic', 'topicName', 'topicId', 'resourceType', 'resourceName', 'key', 'apiKey'],
  ...['logDir', 'index', 'partition', 'partitionIndex', 'partitionId', 'nodeId', 'brokerId'],
  ...['producerId', 'replicaId', 'groupId'],
]

export function normalOutcome(outcome: Outcome, one: Case, side: Side): Normal {
  if (outcome.kind !== 'answer') return { ...outcome }
  return { kind: 'answer', answer: normal('answer', outcome.answer, { api: one.api.name, side }) }
}

/** What an element of a list is called. */
export function labelOf(element: Normal): string | undefined {
  if (element === null || typeof element !== 'object' || Array.isArray(element)) return undefined
  const parts = NAMES.flatMap((name) =>
    element[name] === undefined ? [] : [String(element[name])],
  )
  return parts.length === 0 ? undefined : parts.join(' ')
}

/** Whose answer to what. */
interface Context {
  readonly api: string
  readonly side: Side
}

function normal(field: string, value: unknown, context: Context): Normal {
  if (field === 'records') return batchesIn(value as Buffer | null)
  if (Buffer.isBuffer(value)) return value.toString('hex')
  if (Array.isArray(value)) {
    const elements = value.map((element) => normal(field, element, context))
    if (ORDERED.has(field) || (field === 'topics' && context.api === 'DescribeTopicPartitions'))
      return elements
    return elements.sort((a, b) => ((labelOf(a) ?? '') < (labelOf(b) ?? '') ? -1 : 1))
  }
  if (value !== null && typeof value === 'object') {
    const result: { [name: string]: Normal } = {}
    for (const [name, inner] of Object.entries(value)) {
      result[name] = normal(name, inner, context)
    }
    return result
  }
  return plain(field, value as null | boolean | number | string, context)
}

function plain(
  field: string,
  value: null | boolean | number | string,
  { api, side }: Context,
): Normal {
  if (OWN_NUMBERS.has(`${api} ${field}`)) return (value as number) >= 0 ? 'some' : value
  switch (field) {
    case 'topicId':
      if (value === ZERO_UUID) return 'the zero id'
      return `the id of ${side.nameOf.get(value as string) ?? 'nobody'}`
    case 'errorMessage':
    case 'batchIndexErrorMessage':
    case 'documentation':
      return value === null ? null : 'a text'
    case 'port':
      return value === side.port ? 'its port' : value
    case 'clusterId':
      return /^[\w-]{22}$/.test(String(value)) ? 'a cluster' : value
    case 'replicaDirectoryId':
      return value === ZERO_UUID ? 'the zero id' : 'a directory'
    case 'memberId':
      return value === null ? null : String(value).replace(/[0-9a-f]{8}-[0-9a-f-]{27}$/, 'a uuid')
    case 'logDir':
      return value === '' ? '' : 'a directory'
    case 'sessionId':
      return value === 0 ? 0 : 'a session'
    case 'logAppendTimeMs':
    case 'timestamp':
    case 'lastTimestamp':
    case 'lastFetchTimestamp':
    case 'lastCaughtUpTimestamp':
      return timeOf(value as number)
    default:
      return value
  }
}

function timeOf(ms: number): Normal {
  return Math.abs(ms - Date.now()) < NOW_MS_MAX ? 'now' : ms
}

/** The whole batches: Kafka cuts the last one where the limit is. */
function batchesIn(records: Buffer | null): Normal {
  if (records === null) return null
  const batches: Normal[] = []
  let at = 0
  while (at + batch.RECORD_BATCH_OVERHEAD <= records.length) {
    const size = batch.batchSize(records, at)
    if (at + size > records.length) break
    batches.push(batchAt(records, at, size))
    at += size
  }
  return { batches }
}

function batchAt(b: Buffer, at: number, size: number): Normal {
  const codec = batch.compressionOf(b, at)
  const body = b.subarray(at + batch.RECORD_BATCH_OVERHEAD, at + size)
  return {
    baseOffset: batch.baseOffset(b, at),
    partitionLeaderEpoch: batch.partitionLeaderEpoch(b, at),
    magic: batch.magic(b, at),
    crcIsRight: batch.crc(b, at) === crc32c(b.subarray(at + batch.CRC_FROM, at + size)) >>> 0,
    attributes: batch.attributes(b, at),
    lastOffsetDelta: batch.lastOffsetDelta(b, at),
    baseTimestamp: timeOf(batch.baseTimestamp(b, at)),
    maxTimestamp: timeOf(batch.maxTimestamp(b, at)),
    producer: batch.producerId(b, at),
    producerEpoch: batch.producerEpoch(b, at),
    baseSequence: batch.baseSequence(b, at),
    recordsCount: batch.recordsCount(b, at),
    codec,
    crcOfBody: crc32c(body),
  }
}
