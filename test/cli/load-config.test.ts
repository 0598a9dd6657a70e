import test from 'ava'
import { type ConfigSources, loadConfig } from '../../src/cli/load-config.ts'

const load = (sources: {
  file?: Record<string, string>
  environment?: ConfigSources['environment']
  commandLine?: ConfigSources['commandLine']
}) =>
  loadConfig({
    file: sources.file && { path: 'a.properties', texts: new Map(Object.entries(sources.file)) },
    environment: sources.environment ?? {},
    commandLine: sources.commandLine ?? {},
  })

const config = (sources: Parameters<typeof load>[0]) => {
  const loaded = load(sources)
  if (!loaded.ok) throw new Error(loaded.faults.join())
  return loaded.config
}

const warnings = (sources: Parameters<typeof load>[0]) => {
  const loaded = load(sources)
  return loaded.ok ? loaded.warnings : loaded.faults
}

test('the command line wins over environment, file and default, in this order', (t) => {
  const file = { 'num.partitions': '2' }
  const environment = { KAFKA_NUM_PARTITIONS: '3' }
  const commandLine = { set: ['num.partitions=4'] }
  t.is(config({})['num.partitions'], 1)
  t.is(config({ file })['num.partitions'], 2)
  t.is(config({ file, environment })['num.partitions'], 3)
  t.is(config({ file, environment, commandLine })['num.partitions'], 4)
})

test('variables are read as the apache/kafka image reads them', (t) => {
  const environment = { KAFKA_LOG_RETENTION_HOURS: '24', CLUSTER_ID: 'abc', PATH: '/bin' }
  const loaded = config({ environment })
  t.is(loaded['log.retention.hours'], 24)
  t.is(loaded['odradek.cluster.id'], 'abc')
  t.deepEqual(warnings({ environment: { KAFKA_A__B___C: '1' } }), [
    'There is no setting a_b-c (from KAFKA_A__B___C)',
  ])
})

test('variables of scripts and images that are no settings are left alone', (t) => {
  const names = ['HEAP_OPTS', 'OPTS', 'LOG4J_OPTS', 'LOG4J_ROOT_LOGLEVEL', 'JMX_PORT', 'VERSION']
  const environment = Object.fromEntries(names.map((name) => [`KAFKA_${name}`, 'x']))
  t.deepEqual(warnings({ environment }), [])
})

test('an unknown setting is a warning with where it stands and the nearest known one', (t) => {
  t.deepEqual(warnings({ file: { 'log.retention.hour': '1' } }), [
    'There is no setting log.retention.hour (from a.properties); did you mean log.retention.hours?',
  ])
})

test('a setting without effect is never ignored silently', (t) => {
  t.deepEqual(warnings({ commandLine: { set: ['num.io.threads=3'] } }), [
    'num.io.threads (from --set) has no effect here',
  ])
})

test('a wrong value is one sentence', (t) => {
  t.deepEqual(load({ environment: { KAFKA_NUM_PARTITIONS: 'many' } }), {
    ok: false,
    faults: ['Invalid value many for configuration num.partitions: Not a number of type INT'],
  })
  t.deepEqual(load({ commandLine: { set: ['num.partitions'] } }), {
    ok: false,
    faults: ['--set num.partitions is not of the form key=value'],
  })
})

test('host and port change the first listener', (t) => {
  const listeners = (commandLine: ConfigSources['commandLine'], file = {}) =>
    config({ commandLine, file }).listeners
  t.deepEqual(listeners({ port: '0' }), ['PLAINTEXT://127.0.0.1:0'])
  t.deepEqual(listeners({ host: '::1' }), ['PLAINTEXT://[::1]:9092'])
  const file = {
    listeners: 'PLAINTEXT://:1,CONTROLLER://:2',
    'controller.listener.names': 'CONTROLLER',
  }
  t.deepEqual(listeners({ port: '9' }, file), ['PLAINTEXT://:9', 'CONTROLLER://:2'])
  t.false(load({ commandLine: { port: 'x' } }).ok)
})

test('the data directory comes from the command line', (t) => {
  t.deepEqual(config({ commandLine: { dataDir: '/d' } })['log.dirs'], ['/d'])
})

test('a value of --set may hold an equals sign', (t) => {
  const loaded = config({ commandLine: { set: ['odradek.cluster.id=a=b'] } })
  t.is(loaded['odradek.cluster.id'], 'a=b')
})

test('a profile sets what nothing else sets, wherever it is named', (t) => {
  const key = 'offsets.topic.num.partitions'
  const dev = { 'odradek.profile': 'dev' }
  t.is(config({})[key], 50)
  t.is(config({ file: dev })[key], 4)
  t.is(config({ environment: { KAFKA_ODRADEK_PROFILE: 'dev' } })[key], 4)
  t.is(config({ file: dev, commandLine: { set: [`${key}=2`] } })[key], 2)
  t.deepEqual(warnings({ file: { 'odradek.profile': 'test' } }), [
    'Invalid value test for configuration odradek.profile: String must be one of: strict, dev',
  ])
})
