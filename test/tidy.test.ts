/**
 * The rules that the code keeps about itself: who imports whom, what a pure room may not touch,
 * sizes, and that what is generated is fresh. Widening a table here is a decision: give its reason.
 */
import { existsSync, readdirSync } from 'node:fs'
import test from 'ava'
import { handlers } from '../src/broker/handlers/index.ts'
import { allBrokerConfigs, brokerConfigs } from '../src/config/broker.ts'
import type { Setting } from '../src/config/define.ts'
import { groupConfigs } from '../src/config/group.ts'
import { topicConfigs } from '../src/config/topic.ts'
import { documents } from './support/documents.ts'
import { codeOf, importsOf, read, root, type SourceFile, sources } from './support/source.ts'

interface Room {
  /** No input or output, no clock, no randomness, no await; all of it comes in as arguments. */
  readonly pure?: true
  /** Rooms whose code may be called. */
  readonly calls: readonly string[]
  /** Rooms whose types may be named besides. */
  readonly names?: readonly string[]
  /** Packages, Node's own included. */
  readonly packages?: readonly string[]
}

const rooms: Readonly<Record<string, Room>> = {
  base: { pure: true, calls: [] },
  protocol: { pure: true, calls: ['base'] },
  config: { pure: true, calls: ['base'] },
  cluster: { pure: true, calls: ['base', 'protocol', 'config'] },
  log: { pure: true, calls: ['base', 'protocol', 'config'] },
  coordinator: { pure: true, calls: ['base', 'protocol', 'config', 'cluster'] },
  ring: { calls: ['base'], packages: ['node:worker_threads'] },
  storage: {
    calls: ['base'],
    // What is kept on disk are the values of the pure rooms; none of their decisions is taken here.
    names: ['log', 'cluster'],
    packages: [
      'node:crypto',
      'node:fs',
      'node:module',
      'node:path',
      '@node-rs/crc32',
      'lmdb',
      'msgpackr',
    ],
  },
  net: {
    // Frames are received straight into pooled memory that may cross to another thread.
    calls: ['base', 'ring'],
    packages: ['node:events', 'node:net', 'node:stream', 'node:worker_threads'],
  },
  codecs: {
    calls: ['base', 'protocol'],
    packages: ['node:fs', 'node:module', 'node:path', 'node:zlib', 'lz4-napi', 'snappy'],
  },
  client: {
    calls: ['base', 'protocol', 'net', 'codecs'],
    packages: [
      'node:module',
      'node:net',
      'node:timers/promises',
      'node:worker_threads',
      '@node-rs/crc32',
    ],
  },
  actors: {
    calls: ['base', 'protocol', 'config', 'cluster', 'log', 'coordinator', 'storage'],
    names: ['ring'],
    // re2js: users write expressions in RE2's syntax.
    packages: ['node:module', 'msgpackr', 're2js'],
  },
  broker: {
    calls: [
      'base',
      'protocol',
      'config',
      'cluster',
      'coordinator',
      'ring',
      'storage',
      'net',
      'codecs',
      'actors',
    ],
    packages: [
      'node:fs',
      'node:module',
      'node:os',
      'node:path',
      'node:url',
      'node:vm',
      'node:worker_threads',
      '@node-rs/crc32',
      'piscina',
    ],
  },
  library: {
    // net: other people's clients are given a stream over a message port.
    calls: ['base', 'config', 'broker', 'client', 'net'],
    packages: [
      'node:fs',
      'node:fs/promises',
      'node:net',
      'node:os',
      'node:path',
      'node:timers',
      'node:worker_threads',
    ],
  },
  cli: {
    calls: ['base', 'config', 'broker'],
    packages: ['node:fs', 'commander', 'pino', 'properties-file'],
  },
}

/** Doors: what one room may import of another, where it is not all. */
const doors: Readonly<Record<string, { of: string; files: readonly string[] }>> = {
  // Starting is all that a program and the command line do with a broker; both have its first
  // worker made before they look at what they were given.
  library: {
    of: 'broker',
    files: ['src/broker/broker.ts', 'src/broker/start-error.ts', 'src/broker/worker-pool.ts'],
  },
  cli: { of: 'broker', files: ['src/broker/broker.ts', 'src/broker/worker-pool.ts'] },
}

const columnsMax = 100
const linesMax = 400
const workerLinesMax = 40

/** Longer files, each with its reason. */
const longFiles: Readonly<Record<string, string>> = {
  'src/actors/partition-log.ts': 'the log: all that changes its segments, journal and positions',
  'src/broker/partition-table.ts': 'the life of partitions: opened, failed, reopened, deleted',
  'src/broker/thread.ts': 'what a thread is made of, and its end of every message',
}

/** Who may post to a port. What crosses threads otherwise goes over the rings. */
const posters: Readonly<Record<string, string>> = {
  'src/net/port-connections.ts': 'what the other end of a connection begins with',
  'src/net/port-socket.ts': 'the frames of clients inside the process',
  'src/ring/doorbell.ts': 'the bell',
  'src/ring/link.ts': 'memory that becomes known to a peer, or is forgotten',
  'src/broker/supervisor.ts': 'start, stop and rewire a worker',
  'src/broker/worker-pool.ts':
    'the end of a worker that was never started, and a question for code',
  'src/broker/code-lending.ts': 'compiled code, from one worker to another',
  'src/broker/worker.ts': 'the answers to the supervisor, and log entries',
}

/** Files that export what stands elsewhere, each with its reason. */
const reexporters: Readonly<Record<string, string>> = {
  'src/index.ts': 'the public face',
  'src/ring/bus.ts': 'the door of its room: wiring and references belong to the bus',
  'src/broker/broker.ts': 'the door of its room: a start ends with a broker or with this error',
}

const src = sources('src')
const workers = sources('workers')
const benches = sources('native-bench')
const tests = sources('test')
const everything = [...src, ...workers, ...benches, ...tests]

const roomOf = (path: string) => path.split('/')[1] as string
const inRooms = src.filter(({ path }) => path !== 'src/index.ts')

test('every room stands in the table', (t) => {
  const there = [...new Set(inRooms.map(({ path }) => roomOf(path)))]
  t.deepEqual(
    there.filter((name) => rooms[name] === undefined),
    [],
  )
})

test('a room imports only what its line in the table allows', (t) => {
  const wrong: string[] = []
  for (const file of inRooms) {
    const name = roomOf(file.path)
    const { calls, names = [], packages = [] } = rooms[name] as Room
    for (const { to, typeOnly } of importsOf(file)) {
      const inside = to.startsWith('src/')
      const other = roomOf(to)
      const allowed = inside
        ? other === name || calls.includes(other) || (typeOnly && names.includes(other))
        : packages.includes(to)
      if (!allowed) wrong.push(`${file.path} imports ${to}`)
      const door = doors[name]
      if (door?.of === other && inside && !door.files.includes(to)) {
        wrong.push(`${file.path} imports ${to}, which is not open to it`)
      }
    }
  }
  t.deepEqual(wrong, [])
})

test('a package in the table is imported by its room', (t) => {
  const unused: string[] = []
  for (const [name, { packages = [] }] of Object.entries(rooms)) {
    const used = new Set(
      inRooms
        .filter(({ path }) => roomOf(path) === name)
        .flatMap((file) => importsOf(file))
        .map(({ to }) => to),
    )
    if (!inRooms.some(({ path }) => roomOf(path) === name)) continue
    for (const one of packages) if (!used.has(one)) unused.push(`${name}: ${one}`)
  }
  t.deepEqual(unused, [])
})

test('pure rooms have no clock, no randomness, no timers, no await and no process', (t) => {
  const impure =
    /\bDate\.now|\bnew Date\b|\bMath\.random|\bperformance\b|\bset(?:Timeout|Interval|Immediate)\b|\bqueueMicrotask\b|\bawait\b|\basync\b|\bprocess\.|\bconsole\./
  const wrong = inRooms
    .filter(({ path }) => rooms[roomOf(path)]?.pure)
    .map((file) => ({ path: file.path, found: impure.exec(codeOf(file))?.[0] }))
    .filter(({ found }) => found !== undefined)
  t.deepEqual(wrong, [])
})

test('workers are thin and imported by nobody, and the code imports neither benches nor tests', (t) => {
  for (const { path, text } of workers) t.true(lines(text) <= workerLinesMax, path)
  const outside = src
    .flatMap((file) => importsOf(file))
    .filter(({ to }) => /^(workers|native-bench|test)\//.test(to))
  t.deepEqual(
    outside.map(({ from }) => from.path),
    [],
  )
})

test('nothing is exported from elsewhere but by the doors', (t) => {
  const found = src.filter((file) => /\bexport\b[^'";=()]*\bfrom ''/.test(codeOf(file)))
  t.deepEqual(found.map(({ path }) => path).sort(), Object.keys(reexporters).sort())
})

test('only the bell, the links and the supervision post messages', (t) => {
  const found = [...src, ...workers].filter((file) => /\.postMessage\(/.test(codeOf(file)))
  t.deepEqual(found.map(({ path }) => path).sort(), Object.keys(posters).sort())
})

test('a comment has at most 100 columns; the formatter sees to the code', (t) => {
  const wide: string[] = []
  for (const { path, text } of everything) {
    for (const [i, line] of text.split('\n').entries()) {
      const isComment = /^\s*(\/\*\*|\*|\/\/)/.test(line)
      if (isComment && [...line].length > columnsMax) wide.push(`${path}:${i + 1}`)
    }
  }
  t.deepEqual(wide, [])
})

test('a file has at most 400 lines, or a reason', (t) => {
  const long = [...src, ...workers, ...benches].filter(({ text }) => lines(text) > linesMax)
  t.deepEqual(
    long.map(({ path }) => path).filter((path) => longFiles[path] === undefined),
    [],
  )
})

test('every file opens with a comment that says what it is for', (t) => {
  // An API or record file opens with its schema, whose docstring says it.
  const bare = [...src, ...workers].filter(({ path, text }) => {
    return !/^(#!.*\n)?(\/\*\*|\/\/)/.test(text) && !/^src\/protocol\/(apis|records)\//.test(path)
  })
  t.deepEqual(paths(bare), [])
})

test('nothing names a place of the machine where it was written', (t) => {
  const machine = new RegExp(
    ['work', 'root', 'home/[a-z]', 'Users'].map((at) => `["'\`\\s(=:]/${at}/`).join('|'),
  )
  const texts = [...everything, ...papers()]
  t.deepEqual(paths(texts.filter(({ text }) => machine.test(text))), [])
})

test('no test is switched off or runs alone', (t) => {
  const off = /\.(only|skip|todo|failing)\(/
  t.deepEqual(paths(tests.filter((file) => off.test(codeOf(file)))), [])
})

test('nothing is left to be done', (t) => {
  const left = new RegExp(
    `\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'].join('|')})\\b`,
  )
  t.deepEqual(paths([...everything, ...papers()].filter(({ text }) => left.test(text))), [])
})

test('a setting that is declared to be obeyed is read somewhere', (t) => {
  const tables = /^src\/config\/(broker(-\w+)?|topic|group|document)\.ts$/
  const readers = src
    .filter(({ path }) => !tables.test(path))
    .map(({ text }) => text)
    .join('\n')
  const isRead = (name: string) =>
    readers.includes(`'${name}'`) || new RegExp(`onfig\\.${name}\\b`).test(readers)
  const obeyed = (settings: Readonly<Record<string, Setting>>) =>
    Object.entries(settings).filter(([, { effect }]) => effect === 'obeyed')
  // The broker's default of a topic's or a group's setting is read with it, and so are the bounds.
  const defaults = new Set([
    ...obeyed(topicConfigs).flatMap(([, { broker }]) => broker),
    ...obeyed(groupConfigs).flatMap(([name]) => {
      const bound = (which: string) => `group.${name.replace('.', `.${which}.`)}`
      return [`group.${name}`, bound('min'), bound('max')]
    }),
  ])
  const idle = [
    ...obeyed(topicConfigs),
    ...obeyed(groupConfigs),
    ...obeyed(brokerConfigs).filter(([name]) => !defaults.has(name)),
  ].filter(([name]) => !isRead(name))
  t.deepEqual(
    idle.map(([name]) => name),
    [],
  )
  t.true(allBrokerConfigs().size > obeyed(brokerConfigs).length)
})

test('a handler stands in the file of its key, in order, and its card names what it serves', (t) => {
  const files = readdirSync(new URL('src/broker/handlers/', root)).filter((name) =>
    /^\d/.test(name),
  )
  t.deepEqual(
    handlers.map(({ api }) => api.key),
    files.map((name) => Number(name.slice(0, 2))).sort((a, b) => a - b),
  )
  for (const { api, served } of handlers) {
    const file = files.find((name) => Number(name.slice(0, 2)) === api.key) as string
    const [lowest, highest] = served
    const range = lowest === highest ? `${lowest}` : `${lowest}-${highest}`
    const title = read(`src/broker/handlers/${file}`).split('\n')[1] ?? ''
    t.regex(title, new RegExp(`^ \\* ${api.name} ${range}(?!-|\\d)`), file)
  }
})

test('the generated documents are fresh; `npm run generate` writes them', (t) => {
  for (const { path, text } of documents()) t.true(read(path) === text, `${path} is stale`)
})

test('every file that a document links to is there', (t) => {
  for (const { path, text } of papers()) {
    const folder = new URL(path, root)
    for (const [, link = ''] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      t.true(existsSync(new URL(link, folder)), `${path} links to ${link}`)
    }
  }
})

test('a file that a document names is there', (t) => {
  for (const { path, text } of papers()) {
    for (const [, name = ''] of text.matchAll(
      /`((?:src|test|native-bench|workers|config)\/[\w./-]+)`/g,
    )) {
      t.true(existsSync(new URL(name, root)), `${path} names ${name}`)
    }
  }
})

function papers(): SourceFile[] {
  return readdirSync(root)
    .filter((name) => name.endsWith('.md') || name === 'package.json')
    .map((path) => ({ path, text: read(path) }))
}

function paths(files: readonly SourceFile[]): string[] {
  return files.map(({ path }) => path)
}

function lines(text: string): number {
  return text.split('\n').length - 1
}
