/** Broker settings: identity, listeners, connections, requests, and odradek's own. */
import { boolean, type ConfigValue, INT_MAX, int, list, long, string } from './define.ts'
import { listenersFault, protocolMapFault } from './listeners.ts'

const MIB = 1024 * 1024

export const identityConfigs = {
  'broker.id': int({
    default: -1,
    importance: 'high',
    doc: 'Older name of node.id, used when node.id is not set.',
  }),
  'broker.rack': string<string, string | null>({
    default: null,
    doc: 'Rack of this broker, told to clients in metadata.',
  }),
  'node.id': int({
    default: 1,
    min: 0,
    importance: 'high',
    doc: 'Id of this broker, told to clients in metadata.',
  }),
  'odradek.cluster.id': string({
    default: '',
    doc: 'Id of a new cluster; empty means a random one. An existing data directory keeps its own.',
  }),
}

export const listenerConfigs = {
  'advertised.listeners': list<string, readonly string[] | null>({
    default: null,
    importance: 'high',
    check: listenersFault,
    doc: 'Addresses that clients are told to connect to; not set means those of listeners.',
  }),
  'controller.listener.names': list({
    default: [],
    doc: 'Names of listeners that belong to a Kafka controller; they are not opened here.',
  }),
  'listener.security.protocol.map': string({
    default: 'SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT',
    check: protocolMapFault,
    doc: 'Security protocol of each listener name.',
  }),
  listeners: list({
    default: ['PLAINTEXT://127.0.0.1:9092'],
    importance: 'high',
    check: listenersFault,
    doc: 'Addresses to listen on: name://host:port; an empty host is all interfaces.',
  }),
}

export const connectionConfigs = {
  'connections.max.idle.ms': long({
    default: 600_000,
    unit: 'ms',
    doc: 'A connection without requests for this long is closed; below 0 is never.',
  }),
  'max.connections': int({
    default: INT_MAX,
    min: 0,
    update: 'dynamic',
    doc: 'Most connections open at once; further ones are closed.',
  }),
  'max.connections.per.ip': int({
    default: INT_MAX,
    min: 0,
    update: 'dynamic',
    doc: 'Most connections open at once from one address.',
  }),
  'max.connections.per.ip.overrides': string({
    default: '',
    check: overridesFault,
    update: 'dynamic',
    doc: 'Other limits for single addresses: host:count, separated by commas.',
  }),
  'queued.max.request.bytes': long({
    default: -1,
    min: -1,
    unit: 'bytes',
    doc: 'Bytes of requests in flight in all; -1 leaves it to odradek.requests.bytes.max.',
  }),
  'socket.listen.backlog.size': int({
    default: 50,
    min: 1,
    doc: 'Connections that may wait to be accepted.',
  }),
  'socket.request.max.bytes': int({
    default: 100 * MIB,
    min: 1,
    unit: 'bytes',
    importance: 'high',
    doc: 'Largest request; a connection that announces a larger one is closed.',
  }),
}

export const requestConfigs = {
  'fetch.max.bytes': int({
    default: 55 * MIB,
    min: 1024,
    unit: 'bytes',
    doc: 'Most bytes in the answer to one fetch, whatever the client asks for.',
  }),
  'max.incremental.fetch.session.cache.slots': int({
    default: 1000,
    min: 0,
    doc: 'Most incremental fetch sessions kept at once (KIP-227).',
  }),
  'max.request.partition.size.limit': int({
    default: 2000,
    min: 1,
    doc: 'Most partitions in the answer to one DescribeTopicPartitions.',
  }),
}

export const odradekConfigs = {
  'odradek.connection.request.bytes.max': long({
    default: 128 * MIB,
    min: 1,
    unit: 'bytes',
    doc: 'Bytes of requests in flight on one connection; above it the socket is not read.',
  }),
  'odradek.decompressed.batch.bytes.max': long({
    default: 128 * MIB,
    min: 1,
    unit: 'bytes',
    doc: 'Largest size to which a compressed batch may unfold where the broker looks inside.',
  }),
  'odradek.flush.policy': string({
    default: 'os',
    oneOf: ['os', 'group-commit'],
    importance: 'high',
    doc: 'os leaves writing to the system; group-commit lets acks=all wait for a shared fdatasync.',
  }),
  'odradek.log.level': string({
    default: 'info',
    oneOf: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    doc: 'Least severe level that is written to the log of the process.',
  }),
  'odradek.open.segments.max': int({
    default: 1000,
    min: 1,
    doc: 'Segment files open at once; the least used are closed first.',
  }),
  'odradek.partitions.max': int({
    default: 20_000,
    min: 1,
    doc: 'Most partitions of all topics together.',
  }),
  'odradek.profile': string({
    default: 'strict',
    oneOf: ['strict', 'dev'],
    importance: 'high',
    doc: 'strict behaves as Kafka; dev departs from it for tests and laptops: see Profiles.',
  }),
  'odradek.requests.bytes.max': long({
    default: 512 * MIB,
    min: 1,
    unit: 'bytes',
    doc: 'Bytes of requests and of fetched records in flight on all connections of a shard.',
  }),
  'odradek.shards': int({
    default: -1,
    min: -1,
    max: 64,
    importance: 'high',
    doc: 'Threads that hold connections and partitions; 0 is one thread for all, -1 is cores - 1.',
  }),
}

export const topicCreationConfigs = {
  'auto.create.topics.enable': boolean({
    default: true,
    importance: 'high',
    doc: 'Creates a topic when a client first asks for it.',
  }),
  'default.replication.factor': int({
    default: 1,
    min: 1,
    doc: 'Replicas of a topic created without saying how many.',
  }),
  'delete.topic.enable': boolean({
    default: true,
    importance: 'high',
    doc: 'Whether topics may be deleted.',
  }),
  'num.partitions': int({
    default: 1,
    min: 1,
    doc: 'Partitions of a topic created without saying how many.',
  }),
}

/** The limits of `max.connections.per.ip.overrides` by host. */
export function connectionOverrides(text: string): ReadonlyMap<string, number> {
  const limits = new Map<string, number>()
  for (const item of text.split(',')) {
    const colon = item.lastIndexOf(':')
    if (colon > 0) limits.set(item.slice(0, colon).trim(), Number(item.slice(colon + 1)))
  }
  return limits
}

function overridesFault(value: ConfigValue): string | undefined {
  const text = value as string
  if (text === '' || text.split(',').every((item) => /^\s*\S+:\s*\d+\s*$/.test(item))) {
    return undefined
  }
  return 'must be a list of host:count'
}
