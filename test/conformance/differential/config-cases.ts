/** DescribeConfigs, AlterConfigs, IncrementalAlterConfigs, ListConfigResources. */
import { CreateTopics } from '../../../src/protocol/apis/19-create-topics.ts'
import { DescribeConfigs } from '../../../src/protocol/apis/32-describe-configs.ts'
import { AlterConfigs } from '../../../src/protocol/apis/33-alter-configs.ts'
import { IncrementalAlterConfigs } from '../../../src/protocol/apis/44-incremental-alter-configs.ts'
import { ListConfigResources } from '../../../src/protocol/apis/74-list-config-resources.ts'
import type { RequestInput } from '../../../src/protocol/schema.ts'
import { badConfigs } from './admin-cases.ts'
import { type Case, inAllVersions } from './case.ts'
import * as world from './world.ts'

const TOPIC = 2
const BROKER = 4
const LOGGER = 8
const CLIENT_METRICS = 16
const GROUP = 32

const SET = 0
const DELETE = 1
const APPEND = 2
const SUBTRACT = 3

type Resource = NonNullable<RequestInput<typeof DescribeConfigs>['resources']>[number]
type Alteration = NonNullable<
  NonNullable<RequestInput<typeof IncrementalAlterConfigs>['resources']>[number]['configs']
>[number]

/** All of these APIs. */
export function configCases(): Case[] {
  return [...descriptions(), ...replacements(), ...alterations(), ...resources()]
}

function describe(
  scenario: string,
  all: Resource[],
  change: RequestInput<typeof DescribeConfigs> = {},
): Case[] {
  return inAllVersions(DescribeConfigs, scenario, () => ({ resources: all, ...change }))
}

function descriptions(): Case[] {
  const of = (
    resourceType: number,
    resourceName: string,
    configurationKeys: string[] | null = null,
  ) => [{ resourceType, resourceName, configurationKeys }] as Resource[]
  const brokerKeys = [
    'log.retention.ms',
    'log.retention.hours',
    'num.partitions',
    'message.max.bytes',
    'log.cleanup.policy',
  ]
  return [
    ...describe('a topic', of(TOPIC, world.FILLED)),
    ...describe('a topic with synonyms', of(TOPIC, world.COMPACTED), { includeSynonyms: true }),
    ...inAllVersions(
      DescribeConfigs,
      'a topic with documentation',
      () => ({
        resources: of(TOPIC, world.SMALL),
        includeDocumentation: true,
      }),
      { since: 3 },
    ),
    ...describe('some keys', of(TOPIC, world.SMALL, ['max.message.bytes', 'retention.ms'])),
    ...describe('an unknown key', of(TOPIC, world.SMALL, ['max.message.bytes', 'no.such.setting'])),
    ...describe('a key twice', of(TOPIC, world.SMALL, ['max.message.bytes', 'max.message.bytes'])),
    ...describe('no keys', of(TOPIC, world.SMALL, [])),
    ...describe('no such topic', of(TOPIC, 'nowhere')),
    ...describe('an impossible topic', of(TOPIC, 'a/b')),
    ...describe('no topic', of(TOPIC, '')),
    ...describe('a topic twice', [
      ...of(TOPIC, world.SMALL, ['retention.ms']),
      ...of(TOPIC, world.SMALL, ['segment.ms']),
    ]),
    ...describe('the broker', of(BROKER, '1', brokerKeys), { includeSynonyms: true }),
    ...describe('all of the broker', of(BROKER, '1')),
    ...describe('all brokers', of(BROKER, '', brokerKeys), { includeSynonyms: true }),
    ...['2', '-1', 'x', '01'].flatMap((name) =>
      describe(`broker ${name}`, of(BROKER, name, brokerKeys)),
    ),
    ...describe('a group', of(GROUP, 'g'), { includeSynonyms: true }),
    ...describe('no group', of(GROUP, '')),
    ...describe('client metrics', of(CLIENT_METRICS, 'm')),
    ...describe('no client metrics', of(CLIENT_METRICS, '')),
    ...describe('loggers of another broker', of(LOGGER, '7')),
    ...[0, 1, 3, 99, -1].flatMap((type) => describe(`type ${type}`, of(type, 'x'))),
    ...describe('nothing', []),
  ]
}

const TARGET = 'alterable'

function replacements(): Case[] {
  const replace = (
    scenario: string,
    configs: { name: string; value: string | null }[],
    { type = TOPIC, name = TARGET as string, validateOnly = false, changesMetadata = false } = {},
  ) =>
    inAllVersions(
      AlterConfigs,
      scenario,
      () => ({ resources: [{ resourceType: type, resourceName: name, configs }], validateOnly }),
      { changesMetadata },
    )
  const retention = [{ name: 'retention.ms', value: '70000' }]
  return [
    ...replace('before the topic', retention),
    ...creation(),
    ...replace('one setting', retention, { changesMetadata: true }),
    ...shown('one setting'),
    ...replace('others', [{ name: 'segment.ms', value: '80000' }], { changesMetadata: true }),
    ...shown('others'),
    ...replace('only checked', retention, { validateOnly: true, changesMetadata: true }),
    ...shown('only checked'),
    ...badConfigs().flatMap(([scenario, configs]) => replace(`replace ${scenario}`, configs)),
    ...shown('all that'),
    ...replace('none', [], { changesMetadata: true }),
    ...shown('none'),
    ...replace('an impossible topic', retention, { name: 'a/b' }),
    ...replace('no topic', retention, { name: '' }),
    ...[0, 1, 3, 99].flatMap((type) => replace(`type ${type}`, retention, { type })),
    ...replace('another broker', retention, { type: BROKER, name: '9' }),
    ...replace('a broker without number', retention, { type: BROKER, name: 'x' }),
    ...inAllVersions(AlterConfigs, 'nothing', () => ({ resources: [] })),
    ...inAllVersions(
      AlterConfigs,
      'a resource twice',
      () => ({
        resources: [0, 1].map(() => ({
          resourceType: TOPIC,
          resourceName: TARGET,
          configs: retention,
        })),
      }),
      { since: 2, hangsKafka: true },
    ),
  ]
}

function creation(): Case[] {
  return inAllVersions(
    CreateTopics,
    'to be altered',
    () => ({
      topics: [{ name: TARGET, numPartitions: 1, replicationFactor: 1 }],
      timeoutMs: 10_000,
    }),
    { since: 7, changesMetadata: true },
  )
}

function shown(after: string): Case[] {
  const resource = { resourceType: TOPIC, resourceName: TARGET, configurationKeys: null as never }
  return inAllVersions(
    DescribeConfigs,
    `after ${after}`,
    () => ({ resources: [resource], includeSynonyms: true }),
    { since: 4, needsMetadata: true },
  )
}

interface AlterOptions {
  type?: number
  name?: string
  validateOnly?: boolean
  changesMetadata?: boolean
}

function alter(scenario: string, configs: Alteration[], options: AlterOptions = {}): Case[] {
  const { type = TOPIC, name = TARGET, validateOnly = false, changesMetadata = false } = options
  return inAllVersions(
    IncrementalAlterConfigs,
    scenario,
    () => ({ resources: [{ resourceType: type, resourceName: name, configs }], validateOnly }),
    { changesMetadata },
  )
}

function by(configOperation: number, name: string, value: string | null): Alteration {
  return { name, configOperation, value }
}

const set = (name: string, value: string | null) => by(SET, name, value)

const policy = 'cleanup.policy'

function alterations(): Case[] {
  return [...soundAlterations(), ...badAlterations(), ...otherResources()]
}

function soundAlterations(): Case[] {
  const change = (scenario: string, configs: Alteration[]) => [
    ...alter(scenario, configs, { changesMetadata: true }),
    ...shown(scenario),
  ]
  return [
    ...change('set', [set('retention.ms', '90000'), set('segment.ms', ' 100000 ')]),
    ...change('delete', [by(DELETE, 'retention.ms', null), by(DELETE, 'retention.bytes', 'x')]),
    ...change('append', [by(APPEND, policy, 'compact')]),
    ...change('append again', [by(APPEND, policy, 'compact')]),
    ...change('subtract', [by(SUBTRACT, policy, 'delete')]),
    ...change('subtract what is not there', [by(SUBTRACT, policy, 'delete')]),
    ...change('subtract the last', [by(SUBTRACT, policy, 'compact')]),
    ...change('delete the list', [by(DELETE, policy, '')]),
    ...change('upper case', [set('preallocate', 'TRUE'), set('compression.type', 'lz4')]),
  ]
}

function badAlterations(): Case[] {
  return [
    ...alter('append to a number', [by(APPEND, 'retention.ms', '1')]),
    ...alter('subtract from a number', [by(SUBTRACT, 'retention.ms', '1')]),
    ...alter('append what is not known', [by(APPEND, policy, 'shred')]),
    ...alter('append null', [by(APPEND, policy, null)]),
    ...[4, -1, 99].flatMap((operation) =>
      alter(`operation ${operation}`, [by(operation, 'retention.ms', '1')]),
    ),
    ...alter('a key twice', [set('retention.ms', '1'), set('retention.ms', '2')]),
    ...alter('a key set and deleted', [set('retention.ms', '1'), by(DELETE, 'retention.ms', null)]),
    ...alter('delete what is not known', [by(DELETE, 'no.such.setting', null)]),
    ...alter('good and bad', [set('retention.ms', '1'), set('segment.ms', 'x')]),
    ...badConfigs().flatMap(([scenario, configs]) =>
      alter(
        `alter ${scenario}`,
        configs.map(({ name, value }) => set(name, value)),
      ),
    ),
    ...shown('all alterations'),
    ...alter('no number', [set('min.cleanable.dirty.ratio', 'NaN')], { validateOnly: true }),
  ]
}

function otherResources(): Case[] {
  return [
    ...alter('no configs', []),
    ...alter('only checked', [set('retention.ms', '1')], { validateOnly: true }),
    ...alter('only checked, bad', [set('retention.ms', 'x')], { validateOnly: true }),
    ...alter('no such topic', [set('retention.ms', '1')], { name: 'nowhere' }),
    ...alter('an impossible topic', [set('retention.ms', '1')], { name: 'a/b' }),
    ...alter('no topic', [set('retention.ms', '1')], { name: '' }),
    ...brokers(),
    ...[0, 1, 3, 99].flatMap((type) => alter(`type ${type}`, [set('retention.ms', '1')], { type })),
    ...inAllVersions(IncrementalAlterConfigs, 'nothing', () => ({ resources: [] })),
    ...inAllVersions(IncrementalAlterConfigs, 'a resource twice', () => ({
      resources: [0, 1].map(() => ({
        resourceType: TOPIC,
        resourceName: TARGET,
        configs: [set('retention.ms', '1')],
      })),
    })),
    ...inAllVersions(
      IncrementalAlterConfigs,
      'good and unknown',
      () => ({
        resources: [TARGET, 'nowhere'].map((resourceName) => ({
          resourceType: TOPIC,
          resourceName,
          configs: [set('retention.ms', '123456')],
        })),
      }),
      { changesMetadata: true },
    ),
  ]
}

function brokers(): Case[] {
  const describeBroker = (scenario: string, key: string) =>
    describe(
      scenario,
      ['1', ''].map((resourceName) => ({
        resourceType: BROKER,
        resourceName,
        configurationKeys: [key],
      })),
      { includeSynonyms: true },
    )
  const key = 'message.max.bytes'
  const one = { type: BROKER, name: '1', changesMetadata: true }
  const all = { type: BROKER, name: '', changesMetadata: true }
  return [
    ...alter('all brokers, size', [set(key, '2000000')], all),
    ...describeBroker('after all brokers', key),
    ...shown('all brokers'),
    ...alter('one broker, size', [set(key, '3000000')], one),
    ...describeBroker('after one broker', key),
    ...shown('one broker'),
    ...alter('one broker, back', [{ name: key, configOperation: DELETE, value: null }], one),
    ...alter('all brokers, back', [{ name: key, configOperation: DELETE, value: null }], all),
    ...describeBroker('after both are back', key),
    ...alter('a read-only key', [set('log.dirs', '/tmp')], one),
    ...alter('a bad value', [set(key, 'x')], one),
    ...alter('no such key', [set('no.such.setting', 'x')], one),
    ...alter('a key of topics', [set('retention.ms', '1')], one),
    ...['9', 'x', '-1'].flatMap((name) =>
      alter(`broker ${name}`, [set(key, '1')], { type: BROKER, name }),
    ),
    ...alter('a group', [set('consumer.session.timeout.ms', '50000')], {
      type: GROUP,
      name: 'g',
      changesMetadata: true,
    }),
    ...alter('a group, too short', [set('consumer.session.timeout.ms', '1')], {
      type: GROUP,
      name: 'g',
    }),
    ...alter('a group, no such key', [set('no.such.setting', '1')], { type: GROUP, name: 'g' }),
    ...alter('no group', [set('consumer.session.timeout.ms', '50000')], { type: GROUP, name: '' }),
    ...describe(
      'the group',
      [{ resourceType: GROUP, resourceName: 'g', configurationKeys: null as never }],
      {
        includeSynonyms: true,
      },
    ),
    ...alter('client metrics', [set('interval.ms', '60000')], {
      type: CLIENT_METRICS,
      name: 'm',
      changesMetadata: true,
    }),
    ...alter('client metrics, too often', [set('interval.ms', '1')], {
      type: CLIENT_METRICS,
      name: 'm',
    }),
    ...alter('client metrics, no such key', [set('no.such.setting', '1')], {
      type: CLIENT_METRICS,
      name: 'm',
    }),
    ...alter('client metrics, a bad match', [set('match', 'x')], {
      type: CLIENT_METRICS,
      name: 'm',
    }),
    ...describe(
      'the client metrics',
      [{ resourceType: CLIENT_METRICS, resourceName: 'm', configurationKeys: null as never }],
      {
        includeSynonyms: true,
      },
    ),
  ]
}

function resources(): Case[] {
  const list = (scenario: string, resourceTypes: number[]) =>
    inAllVersions(ListConfigResources, scenario, (_, version) =>
      version >= 1 ? { resourceTypes } : {},
    )
  return [
    ...list('all resources', []),
    ...[TOPIC, BROKER, LOGGER, CLIENT_METRICS, GROUP, 0, 1, 99, -1].flatMap((type) =>
      list(`type ${type}`, [type]),
    ),
    ...list('two types', [TOPIC, GROUP]),
    ...list('a type twice', [TOPIC, TOPIC]),
  ]
}
