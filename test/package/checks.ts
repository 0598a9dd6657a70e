/** What the installed package is put through. Data only: the runner runs it. */
import { join } from 'node:path'

/** A program, and what has to come of it. */
export interface Check {
  readonly name: string
  readonly argv: readonly string[]
  /** Default: 0. */
  readonly exit?: number | 'any'
  /** What standard output has to match. */
  readonly out?: RegExp
  /** What standard error has to match. */
  readonly err?: RegExp
  /** When this is printed, the program gets SIGINT as from a terminal. */
  readonly interruptAt?: RegExp
}

/** A Node that the contract is tried on. */
export interface NodeVersion {
  readonly major: number
  readonly name: string
  readonly executable: string
}

/** How many test files each framework gets; each starts a broker of its own. */
export const TEST_FILES = 4
const tests = TEST_FILES * 2

const nothing = /^$/
const node = process.execPath
const ready = /^odradek ready on 127\.0\.0\.1:\d+,/

/** The first version in which `await using` is part of the language. */
const USING_MAJOR = 24

/** The program of the README, the same with `require`, and where it can be with `await using`. */
export function contractChecks(nodes: readonly NodeVersion[]): Check[] {
  return nodes.flatMap(({ major, name, executable }) => {
    const programs = ['contract.mjs', 'contract.cjs']
    if (major >= USING_MAJOR) programs.push('using.mjs')
    return programs.map((program) => ({
      name: `${program} on ${name}`,
      argv: [executable, program],
      out: /^v\n$/,
      err: nothing,
    }))
  })
}

/** As TypeScript sees the package: both of its ways to resolve modules, and two linters. */
export function typeChecks(tarball: string): Check[] {
  return [
    { name: 'attw', argv: [bin('attw'), tarball], out: /No problems found/ },
    { name: 'publint', argv: [bin('publint'), tarball, '--strict'], out: /All good/ },
    ...['nodenext', 'bundler'].map((way) => ({
      name: `tsc with module resolution ${way}`,
      argv: [bin('tsc'), '--project', `tsconfig.${way}.json`],
      out: nothing,
    })),
  ]
}

/** Bundles that name the package as external, and bundles that do not, which load it all the same.
 *  `elsewhere`: an empty folder. */
export function bundleChecks(elsewhere: string): Check[] {
  const alone = join(elsewhere, 'alone.cjs')
  return [
    ...bundles('external', ['--external:odradek']),
    ...bundles('inside', []),
    { name: 'webpack', argv: [bin('webpack'), '--no-stats'], out: nothing, err: nothing },
    { name: 'bundle of webpack', argv: [node, 'bundled/webpack.cjs'], out: /^v\n$/, err: nothing },
    {
      name: 'vite, as a library',
      argv: [bin('vite'), 'build', '--config=library.vite.config.mjs'],
      err: nothing,
    },
    {
      name: 'bundle of vite',
      argv: [node, 'bundled/vite/contract.js'],
      out: /^v\n$/,
      err: nothing,
    },
    {
      name: 'esbuild to a folder without the package',
      argv: esbuild('contract.cjs', 'cjs', alone),
    },
    {
      name: 'a bundle without the package',
      argv: [node, '-e', `process.chdir(${JSON.stringify(elsewhere)}); require('${alone}')`],
      exit: 1,
      out: nothing,
      err: /StartError.*mark it as external/,
    },
  ]
}

function bundles(name: string, options: readonly string[]): Check[] {
  const formats = { 'contract.mjs': 'esm', 'contract.cjs': 'cjs' }
  return Object.entries(formats).flatMap(([program, format]) => {
    const bundle = join('bundled', name, program)
    const argv = [...esbuild(program, format, bundle), ...options]
    return [
      { name: `esbuild to ${format}, ${name}`, argv, err: nothing },
      { name: `bundle in ${format}, ${name}`, argv: [node, bundle], out: /^v\n$/, err: nothing },
    ]
  })
}

function esbuild(program: string, format: string, bundle: string): string[] {
  const words = ['--bundle', '--platform=node', '--minify', '--log-level=warning']
  return [bin('esbuild'), program, ...words, `--format=${format}`, `--outfile=${bundle}`]
}

/** Several test files at once, as each framework does it; patiently, on a busy machine. */
export function frameworkChecks(): Check[] {
  const two = ['--maxWorkers=2', '--minWorkers=2']
  const patient = ['--testTimeout=60000', '--hookTimeout=60000']
  const vitest = [bin('vitest'), 'run', '--dir=vitest', ...two, ...patient]
  const vitestPassed = new RegExp(`Tests +${tests} passed \\(${tests}\\)`)
  return [
    {
      name: 'jest',
      argv: [
        bin('jest'),
        '--maxWorkers=2',
        '--testTimeout=60000',
        '--testMatch=**/jest/*.test.cjs',
      ],
      // It says so when a test file leaves something behind that keeps its process alive.
      err: new RegExp(
        `^(?!.*did not exit|.*to exit).*Tests: +${tests} passed, ${tests} total`,
        's',
      ),
    },
    { name: 'vitest', argv: [...vitest, '--pool=forks'], out: vitestPassed },
    { name: 'vitest on threads', argv: [...vitest, '--pool=threads'], out: vitestPassed },
    {
      name: 'ava',
      argv: [bin('ava'), '--concurrency=2', '--timeout=60s', 'ava/*.test.js'],
      out: new RegExp(`${tests} tests passed`),
    },
    {
      name: 'node:test',
      argv: [node, '--test', '--test-concurrency=2', 'node/'],
      out: new RegExp(`# pass ${tests}\\n`),
    },
  ]
}

/** The command. `dataDir`: where its broker may keep things. */
export function commandChecks(dataDir: string): Check[] {
  const npx = ['npx', 'odradek']
  const serve = ['serve', '--port', '0', '--data-dir', dataDir]
  return [
    { name: 'npx odradek --version', argv: [...npx, '--version'], out: /^\d+\.\d+\.\d+\n$/ },
    { name: 'npx odradek --help', argv: [...npx, '--help'], out: /\n {2}serve /, err: nothing },
    {
      name: 'npx odradek serve',
      argv: [...npx, ...serve],
      // npx ends of the signal itself, before the broker does.
      exit: 'any',
      out: ready,
      interruptAt: ready,
    },
    {
      name: 'odradek serve, then Ctrl-C',
      argv: [bin('odradek'), ...serve],
      out: ready,
      interruptAt: ready,
    },
    {
      name: 'an option that is not known',
      argv: [...npx, ...serve, '--prot', '1'],
      exit: 1,
      out: nothing,
      err: /^odradek: [^\n]+\n$/,
    },
    {
      name: 'a value that is wrong',
      argv: [...npx, ...serve, '--set', 'num.partitions=many'],
      exit: 1,
      out: nothing,
      err: /^odradek: [^\n]+\n$/,
    },
  ]
}

function bin(name: string): string {
  return join('node_modules', '.bin', name)
}
