/** The admin client's calls about configurations. */
import { DescribeConfigs } from '../protocol/apis/32-describe-configs.ts'
import { AlterConfigs } from '../protocol/apis/33-alter-configs.ts'
import { IncrementalAlterConfigs } from '../protocol/apis/44-incremental-alter-configs.ts'
import { ListConfigResources } from '../protocol/apis/74-list-config-resources.ts'
import type { ResponseOf } from '../protocol/schema.ts'
import type { CallOptions } from './admin-base.ts'
import { throwOnItems } from './admin-base.ts'
import { AdminTopics, type ChangeOptions } from './admin-topics.ts'

const resourceTypes = {
  topic: 2,
  broker: 4,
  brokerLogger: 8,
  clientMetrics: 16,
  group: 32,
} as const

/** What has a configuration. */
export type ConfigResourceType = keyof typeof resourceTypes

/** A topic by name, a broker by id (the empty name: all of them), a group by id … */
export interface ConfigResource {
  readonly type: ConfigResourceType
  readonly name: string
}

const sources = [
  'unknown',
  'topic',
  'dynamicBroker',
  'dynamicDefaultBroker',
  'staticBroker',
  'default',
  'dynamicBrokerLogger',
  'clientMetrics',
  'group',
] as const

/** Where a value comes from; the first that says something holds. */
export type ConfigSource = (typeof sources)[number]

const types = [
  'unknown',
  'boolean',
  'string',
  'int',
  'short',
  'long',
  'double',
  'list',
  'class',
  'password',
] as const

/** The type of a value. */
export type ConfigType = (typeof types)[number]

/** One configuration key. */
export interface ConfigEntry {
  readonly name: string
  /** null: not set, or a secret. */
  readonly value: string | null
  readonly source: ConfigSource
  readonly isReadOnly: boolean
  readonly isSensitive: boolean
  readonly type: ConfigType
  /** null unless asked for. */
  readonly documentation: string | null
  /** All that say something, the one that holds first; empty unless asked for. */
  readonly synonyms: readonly { name: string; value: string | null; source: ConfigSource }[]
}

/** The configuration of a resource. */
export interface ConfigDescription extends ConfigResource {
  readonly configs: readonly ConfigEntry[]
}

/** A change of one key. `append` and `subtract` are for lists. */
export type ConfigChange =
  | {
      readonly name: string
      readonly operation: 'set' | 'append' | 'subtract'
      readonly value: string
    }
  | { readonly name: string; readonly operation: 'delete' }

const operations = { set: 0, delete: 1, append: 2, subtract: 3 } as const

type DescribedConfig = ResponseOf<typeof DescribeConfigs>['results'][number]['configs'][number]

/** Calls about configurations. */
export class AdminConfigs extends AdminTopics {
  /** Configurations, in the order asked for. Rejects with PartialError. */
  async describeConfigs(
    resources: readonly (ConfigResource & { readonly keys?: readonly string[] })[],
    options: CallOptions & {
      readonly includeSynonyms?: boolean
      readonly includeDocumentation?: boolean
    } = {},
  ): Promise<ConfigDescription[]> {
    const { includeSynonyms = false, includeDocumentation = false } = options
    const described = new Map<string, ConfigDescription>()
    for (const [nodeId, mine] of byNode(resources)) {
      const body = (version: number) => ({
        resources: mine.map(({ type, name, keys }) => ({
          resourceType: resourceTypes[type],
          resourceName: name,
          configurationKeys: keys ?? null,
        })),
        includeSynonyms,
        ...(version >= 3 ? { includeDocumentation } : {}),
      })
      const answer =
        nodeId === undefined
          ? await this.ask(DescribeConfigs, body, options)
          : await this.askNode(nodeId, DescribeConfigs, body, options)
      throwOnItems(answer.results.map(itemOf))
      for (const { resourceType, resourceName: name, configs } of answer.results) {
        const type = typeOf(resourceType)
        described.set(`${type} ${name}`, { type, name, configs: configs.map(entryOf) })
      }
    }
    return resources.map(({ type, name }) => {
      return described.get(`${type} ${name}`) ?? { type, name, configs: [] }
    })
  }

  /** Changes single keys; the others stay. Rejects with PartialError. KIP-339. */
  async incrementalAlterConfigs(
    resources: readonly (ConfigResource & { readonly changes: readonly ConfigChange[] })[],
    options: ChangeOptions = {},
  ): Promise<void> {
    for (const [nodeId, mine] of byNode(resources)) {
      const body = {
        resources: mine.map(({ type, name, changes }) => ({
          resourceType: resourceTypes[type],
          resourceName: name,
          configs: changes.map((change) => ({
            name: change.name,
            configOperation: operations[change.operation],
            value: change.operation === 'delete' ? null : change.value,
          })),
        })),
        validateOnly: options.validateOnly ?? false,
      }
      const answer =
        nodeId === undefined
          ? await this.ask(IncrementalAlterConfigs, body, options)
          : await this.askNode(nodeId, IncrementalAlterConfigs, body, options)
      throwOnItems(answer.responses.map(itemOf))
    }
  }

  /** Replaces whole configurations: keys that are not given go back to their defaults. For brokers
   *  older than Kafka 2.3. Rejects with PartialError. */
  async alterConfigs(
    resources: readonly (ConfigResource & { readonly configs: Readonly<Record<string, string>> })[],
    options: ChangeOptions = {},
  ): Promise<void> {
    for (const [nodeId, mine] of byNode(resources)) {
      const body = {
        resources: mine.map(({ type, name, configs }) => ({
          resourceType: resourceTypes[type],
          resourceName: name,
          configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
        })),
        validateOnly: options.validateOnly ?? false,
      }
      const answer =
        nodeId === undefined
          ? await this.ask(AlterConfigs, body, options)
          : await this.askNode(nodeId, AlterConfigs, body, options)
      throwOnItems(answer.responses.map(itemOf))
    }
  }

  /** Resources that have a configuration of their own or may have one. KIP-1142. */
  async listConfigResources(
    ofTypes: readonly ConfigResourceType[] = [],
    options: CallOptions = {},
  ): Promise<ConfigResource[]> {
    const answer = await this.ask(
      ListConfigResources,
      (version) =>
        version >= 1 ? { resourceTypes: ofTypes.map((type) => resourceTypes[type]) } : {},
      options,
      ({ errorCode }) => ({ item: '', code: errorCode }),
    )
    return answer.configResources.map(({ resourceName, resourceType }) => ({
      type: typeOf(resourceType),
      name: resourceName,
    }))
  }
}

/** Brokers answer for themselves only; the rest may go to any. */
function byNode<T extends ConfigResource>(resources: readonly T[]): Map<number | undefined, T[]> {
  const nodes = new Map<number | undefined, T[]>()
  for (const resource of resources) {
    const own = resource.type === 'broker' || resource.type === 'brokerLogger'
    const nodeId = own && resource.name !== '' ? Number(resource.name) : undefined
    nodes.set(nodeId, [...(nodes.get(nodeId) ?? []), resource])
  }
  return nodes
}

function itemOf(one: {
  readonly resourceType: number
  readonly resourceName: string
  readonly errorCode: number
  readonly errorMessage: string | null
}) {
  const item = `${typeOf(one.resourceType)} ${one.resourceName}`
  return { item, code: one.errorCode, message: one.errorMessage }
}

function typeOf(code: number): ConfigResourceType {
  for (const [type, number] of Object.entries(resourceTypes)) {
    if (number === code) return type as ConfigResourceType
  }
  throw new RangeError(`resource type ${code}`)
}

function entryOf(one: DescribedConfig): ConfigEntry {
  return {
    name: one.name,
    value: one.value,
    source: sources[one.configSource] ?? 'unknown',
    isReadOnly: one.readOnly,
    isSensitive: one.isSensitive,
    type: types[one.configType] ?? 'unknown',
    documentation: one.documentation === '' ? null : one.documentation,
    synonyms: one.synonyms.map(({ name, value, source }) => ({
      name,
      value,
      source: sources[source] ?? 'unknown',
    })),
  }
}
