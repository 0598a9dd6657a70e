/** What of the project's documents follows from its tables; `npm run generate` writes it. */
import { handlers } from '../../src/broker/handlers/index.ts'
import { brokerConfigs } from '../../src/config/broker.ts'
import { configReference, serverProperties } from '../../src/config/document.ts'
import { textOf } from '../../src/config/parse.ts'
import { apis } from '../../src/protocol/apis/index.ts'
import { publicFace } from './public-face.ts'
import { read } from './source.ts'

/** Every generated file, as it should be. */
export function documents(): { readonly path: string; readonly text: string }[] {
  return [
    { path: 'config/server.properties', text: serverProperties() },
    { path: 'config/README.md', text: configReference() },
    { path: 'README.md', text: withSection(read('README.md'), 'support', supportTable()) },
    {
      path: 'ARCHITECTURE.md',
      text: withSection(read('ARCHITECTURE.md'), 'limits', limitsTable()),
    },
    { path: 'test/golden/public-face.txt', text: publicFace() },
  ]
}

/** What stands between the marks of `name`, replaced. */
function withSection(text: string, name: string, section: string): string {
  const [start, end] = [`<!-- ${name}: generated -->`, `<!-- ${name}: end -->`]
  const from = text.indexOf(start)
  const to = text.indexOf(end)
  if (from < 0 || to < from) throw new Error(`there are no marks for ${name}`)
  return `${text.slice(0, from + start.length)}\n${section}\n${text.slice(to)}`
}

function supportTable(): string {
  const served = new Set(handlers.map(({ api }) => api.key))
  const rows = handlers.map(({ api, served, advertised }) => {
    const versions = `${range(served)}${range(advertised) === range(served) ? '' : ` (advertised: ${range(advertised)})`}`
    return `| ${api.key} | ${api.name} | ${versions} |`
  })
  const missing = [...apis.values()].filter(({ key }) => !served.has(key)).map(({ name }) => name)
  return [
    '| Key | API | Versions |',
    '|---:|---|---|',
    ...rows,
    '',
    ...wrapped(`Not served and not advertised: ${missing.join(', ')}.`),
  ].join('\n')
}

function range([lowest, highest]: readonly [number, number]): string {
  return lowest === highest ? String(lowest) : `${lowest}–${highest}`
}

/** Settings that bound something. */
const limitSettings = [
  'max.connections',
  'max.connections.per.ip',
  'connections.max.idle.ms',
  'socket.listen.backlog.size',
  'socket.request.max.bytes',
  'odradek.connection.request.bytes.max',
  'odradek.requests.bytes.max',
  'odradek.decompressed.batch.bytes.max',
  'odradek.open.segments.max',
  'odradek.partitions.max',
  'message.max.bytes',
  'fetch.max.bytes',
  'max.incremental.fetch.session.cache.slots',
  'group.share.max.share.sessions',
  'group.share.partition.max.record.locks',
  'max.request.partition.size.limit',
  'producer.id.expiration.ms',
  'log.cleaner.dedupe.buffer.size',
  'log.cleaner.threads',
] as const satisfies readonly (keyof typeof brokerConfigs)[]

/** Bounds that are no settings: the file and the constant, whose docstring says what it is. */
const limitConstants = [
  ['src/protocol/reader.ts', 'ELEMENTS_MAX'],
  ['src/net/connection.ts', 'FIRST_BUFFER_BYTES_MAX'],
  ['src/net/connection.ts', 'UNSENT_BYTES_MAX'],
  ['src/broker/dispatch.ts', 'PIPELINE_MAX'],
  ['src/broker/shard.ts', 'STALL_MS'],
  ['src/broker/shard.ts', 'DRAIN_MS'],
  ['src/ring/wiring.ts', 'BUS_LIMITS'],
  ['src/ring/wiring.ts', 'CREDITS_LIMIT'],
  ['src/actors/controller.ts', 'CONTROLLER_QUEUE_MAX'],
  ['src/coordinator/group/member-connections.ts', 'MEMBERS_PER_CONNECTION_MAX'],
  ['src/coordinator/share/sessions.ts', 'SHARE_SESSION_PARTITIONS_MAX'],
  ['src/coordinator/share/state-service.ts', 'SHARE_RECORDS_MAX'],
  ['src/cluster/create-topics.ts', 'PARTITIONS_PER_REQUEST_MAX'],
  ['src/cluster/config-limits.ts', 'CONFIG_LENGTH_MAX'],
  ['src/cluster/config-limits.ts', 'CONFIGURED_RESOURCES_MAX'],
  ['src/cluster/topic-name.ts', 'TOPIC_NAME_LENGTH_MAX'],
  ['src/log/batch-rules.ts', 'RECORD_ERRORS_MAX'],
] as const

function limitsTable(): string {
  const settings = limitSettings.map((name) => {
    const setting = brokerConfigs[name]
    return `| \`${name}\` | ${textOf(setting, setting.default)} | ${setting.doc} |`
  })
  const constants = limitConstants.map(([path, name]) => {
    const { value, doc } = constantIn(path, name)
    return `| \`${name}\` in \`${path}\` | ${value} | ${doc} |`
  })
  return ['| Limit | Default | Meaning |', '|---|---|---|', ...settings, ...constants].join('\n')
}

/** A constant's value and docstring as they stand in the source. */
function constantIn(path: string, name: string): { value: string; doc: string } {
  const found = new RegExp(
    `/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\n(?:export )?const ${name}\\b[^=]*= ([^\\n]+)`,
  ).exec(read(path))
  if (found === null) throw new Error(`${path} has no documented ${name}`)
  const [, comment = '', value = ''] = found
  const doc = comment
    .replace(/\n\s*\*?/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  return { value: value.replace(/^\{ | \}$/g, ''), doc }
}

/** Words in lines of at most 100 columns. */
function wrapped(text: string): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1] as string
    if (last.length + word.length + 1 > 100) lines.push(word)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return lines
}
