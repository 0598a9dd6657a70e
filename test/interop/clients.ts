/** The clients that we did not write, where install.sh puts them, and how their program is run. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { root } from './subject.ts'

/** `argv` runs the client's program; a bootstrap address is appended. `needs`: why it cannot run
 *  here, or undefined when it can. */
export interface InteropClient {
  readonly name: string
  readonly argv: readonly string[]
  /** Longest run in milliseconds where the usual is too short. */
  readonly msMax?: number
  /** Its program starts a broker of ours in its own process, and is given no address. */
  readonly inProcess?: true
  /** Settings of the broker, each as name=value. */
  readonly settings?: readonly string[]
  needs(): string | undefined
}

const cache = process.env['ODRADEK_INTEROP_CACHE'] ?? join(homedir(), '.cache/odradek-interop')
const programs = resolve(root, 'test/interop')
const tools = join(cache, 'tools-4.3.1')
/** Small and quick to start. */
const javaOptions = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
const nodeModules = join(programs, 'node/node_modules')

/** In the order in which they run: the cheap ones first. */
export const clients: readonly InteropClient[] = [
  {
    name: 'kcat',
    argv: program('kcat.js'),
    needs: () => (runs('kcat', '-V') ? undefined : 'kcat is not installed'),
  },
  java('4.3.1'),
  java('3.9.1'),
  java('2.8.2'),
  transactions('4.3.1'),
  transactions('3.9.1'),
  transactions('2.8.2'),
  {
    name: 'kafka segments 4.3.1',
    argv: program('segments.js'),
    needs: () => javaClient('4.3.1', 'Segments').needs() ?? missing(tools),
  },
  {
    name: 'kafka tools 4.3.1',
    argv: program('tools.js'),
    needs: () => missing(tools),
    // Every tool is a process of its own, and starting Java is slow.
    msMax: 600_000,
  },
  streams('kafka streams 4.3.1', 'classic'),
  streams('kafka streams 4.3.1, streams protocol', 'streams'),
  streams('kafka streams 4.3.1, exactly once', 'classic,exactly_once_v2'),
  streams('kafka streams 4.3.1, streams protocol, exactly once', 'streams,exactly_once_v2'),
  {
    name: 'franz-go',
    argv: [join(cache, 'franz-go')],
    needs: () => missing(join(cache, 'franz-go')),
  },
  {
    name: "franz-go's own tests",
    argv: [...program('own-tests.js'), join(cache, 'kgo.test')],
    needs: () => missing(join(cache, 'kgo.test')),
  },
  python('confluent-kafka-python', 'confluent_kafka_checks.py'),
  python('kafka-python', 'kafka_python_checks.py'),
  node('kafkajs', 'kafkajs', 'kafkajs.js'),
  { ...node('kafkajs in process', 'kafkajs', 'kafkajs.js'), inProcess: true },
  node('@platformatic/kafka', '@platformatic/kafka', 'platformatic.js', newerNode()),
  node(
    '@confluentinc/kafka-javascript',
    '@confluentinc/kafka-javascript/build/Release',
    'confluent.js',
  ),
  ...groupClients(),
]

/**
 * The clients once more, as members of groups. Each says what it can of `checks.ts` in groups/.
 * What a client cannot is told where its member is written.
 */
function groupClients(): InteropClient[] {
  const position = ['pause', 'seek']
  const most = [...position, 'async', 'static', 'cooperative', 'regex']
  const javaMember = (version: string) => javaClient(version, 'GroupMember')
  const newest = javaMember('4.3.1')
  const librdkafka = python('confluent-kafka-python', 'confluent_kafka_member.py')
  const franz = goMember('franzmember')
  const confluent = node(
    '@confluentinc/kafka-javascript',
    '@confluentinc/kafka-javascript/build/Release',
    'confluent-member.js',
  )
  const platformatic = node(
    '@platformatic/kafka',
    '@platformatic/kafka',
    'platformatic-member.js',
    newerNode(),
  )
  return [
    group('java 4.3.1', newest, most),
    group('java 4.3.1, consumer protocol', withArgument(newest, 'protocol=consumer'), most),
    group('java 3.9.1', javaMember('3.9.1'), most),
    group('java 2.8.2', javaMember('2.8.2'), most),
    group('franz-go', franz, most),
    // With this protocol its static members leave for good when they are closed.
    group('franz-go, consumer protocol', withArgument(franz, 'protocol=consumer'), [
      ...position,
      'async',
      'cooperative',
      'regex',
    ]),
    group('sarama', goMember('saramamember'), [...position, 'static']),
    group('confluent-kafka-python', librdkafka, most),
    group(
      'confluent-kafka-python, consumer protocol',
      withArgument(librdkafka, 'protocol=consumer'),
      most,
    ),
    group('kafka-python', python('kafka-python', 'kafka_python_member.py'), most),
    group('aiokafka', python('aiokafka', 'aiokafka_member.py'), [...position, 'static', 'regex']),
    group('kafkajs', node('kafkajs', 'kafkajs', 'kafkajs-member.js'), [...position, 'regex-once']),
    group('@platformatic/kafka', platformatic, ['static-killed']),
    group('@confluentinc/kafka-javascript', confluent, [...most, 'hang']),
    shareGroups(),
  ]
}

/** `protocol`: of the group, and with a comma behind it what it guarantees. */
function streams(name: string, protocol: string): InteropClient {
  return {
    name,
    argv: [...program('streams.js'), protocol],
    // Kafka's tools for groups besides.
    msMax: 300_000,
    // A member that was killed is to be missed soon.
    settings: [
      'group.streams.min.session.timeout.ms=6000',
      'group.streams.session.timeout.ms=6000',
      'group.streams.min.heartbeat.interval.ms=500',
      'group.streams.heartbeat.interval.ms=500',
    ],
    needs: () =>
      streamsClient().needs() ??
      missing(tools) ??
      (runs('kcat', '-V') ? undefined : 'kcat is not installed'),
  }
}

/** Java compiles the program as it starts it, since older clients lack what it needs. */
function shareGroups(): InteropClient {
  const source = join(programs, 'java-share/ShareChecks.java')
  const libraries = join(cache, 'java-4.3.1/lib')
  const options = [...javaOptions, `-Dshare.source=${source}`, '-cp', `${libraries}/*`]
  return {
    name: 'groups: java 4.3.1, share groups',
    argv: ['java', ...options, source],
    // Locks that end are waited for.
    msMax: 400_000,
    settings: ['group.share.min.record.lock.duration.ms=1000'],
    needs: () => missing(libraries),
  }
}

type MemberProgram = Omit<InteropClient, 'name'>

function group(name: string, member: MemberProgram, can: readonly string[]): InteropClient {
  return {
    name: `groups: ${name}`,
    argv: [...program('groups/checks.js'), can.join(), ...member.argv],
    // Kafka does not let the session of the consumer protocol be so short by default.
    settings: [
      'num.partitions=4',
      'group.consumer.min.session.timeout.ms=6000',
      'group.consumer.session.timeout.ms=6000',
      'group.consumer.min.heartbeat.interval.ms=500',
      'group.consumer.heartbeat.interval.ms=500',
    ],
    needs: () => member.needs() ?? (runs('kcat', '-V') ? undefined : 'kcat is not installed'),
  }
}

/** The bootstrap address comes after it. */
function withArgument(member: MemberProgram, argument: string): MemberProgram {
  return { ...member, argv: [...member.argv, argument] }
}

function goMember(name: string): MemberProgram {
  const path = join(cache, name)
  return { argv: [path], needs: () => missing(path) }
}

function java(version: string): InteropClient {
  return { name: `java ${version}`, ...javaClient(version, 'Interop') }
}

function transactions(version: string): InteropClient {
  return {
    name: `java ${version}, transactions`,
    ...javaClient(version, 'Transactions'),
    // Transactions that take too long are missed soon.
    settings: ['transaction.abort.timed.out.transaction.cleanup.interval.ms=500'],
  }
}

/** A program of test/interop/java with the clients of a version. */
export function javaClient(version: string, program: string): Omit<InteropClient, 'name'> {
  const classes = join(cache, `java-${version}/classes`)
  const path = `${classes}:${join(cache, `java-${version}/lib`)}/*`
  return {
    argv: ['java', ...javaOptions, '-cp', path, program],
    needs: () => missing(join(classes, `${program}.class`)),
  }
}

/** The application of test/interop/streams. */
export function streamsClient(): Omit<InteropClient, 'name'> {
  const home = join(cache, 'streams-4.3.1')
  return {
    argv: ['java', ...javaOptions, '-cp', `${home}/classes:${home}/lib/*`, 'StreamsApp'],
    needs: () => missing(join(home, 'classes/StreamsApp.class')),
  }
}

/**
 * The command that starts one of Kafka's tools: its class, by default in org.apache.kafka.tools.
 */
export function kafkaTool(name: string): string[] {
  const inTools = !name.startsWith('kafka.')
  const className = inTools ? `org.apache.kafka.tools.${name}` : name
  return ['java', ...javaOptions, '-cp', `${tools}/*`, className]
}

/** A program beside this file. */
function program(name: string): string[] {
  return [process.execPath, resolve(import.meta.dirname, name)]
}

function python(name: string, program: string): InteropClient {
  const interpreter = join(cache, 'python/bin/python')
  return {
    name,
    argv: [interpreter, join(programs, 'python', program)],
    needs: () => missing(interpreter),
  }
}

function node(name: string, folder: string, program: string, runtime = process.execPath) {
  return {
    name,
    argv: [runtime, join(programs, 'node', program)],
    needs: () => missing(join(nodeModules, folder)) ?? missing(runtime),
  }
}

/**
 * @platformatic/kafka wants Node 22.22 or later, which comes as a package where this one is older.
 */
function newerNode(): string {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 22)) return process.execPath
  return join(nodeModules, `node-${process.platform}-${process.arch}/bin/node`)
}

function missing(path: string): string | undefined {
  return existsSync(path) ? undefined : `${path} is not there`
}

function runs(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
