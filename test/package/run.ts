/**
 * Packs the package, installs it elsewhere as a user does, and puts it to use.
 * `run.js examples`: every program of `examples`. `run.js package`: the program of the README on
 * several versions of Node, types, bundles, test frameworks, and the command.
 * What it needs besides comes from the registry and stays in
 * ${ODRADEK_PACKAGE_CACHE:-~/.cache/odradek-package}. The last line counts the checks: 'N passed,
 * N failed', and versions of Node that were not to be had.
 */
import { spawn, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  bundleChecks,
  type Check,
  commandChecks,
  contractChecks,
  frameworkChecks,
  type NodeVersion,
  TEST_FILES,
  typeChecks,
} from './checks.ts'

/** What became of a program. */
interface Ran {
  readonly exit: number | NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

const root = fileURLToPath(new URL('../../../', import.meta.url))
const cache = process.env['ODRADEK_PACKAGE_CACHE'] ?? join(homedir(), '.cache', 'odradek-package')
const nodeMajors = [20, 22, 24, 26]
const msMax = 120_000
const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
/** Nothing colours its output, and nobody is asked anything. */
const env = { ...process.env, CI: 'true', NO_COLOR: '1', FORCE_COLOR: '0' }

let passed = 0
let failed = 0
let skipped = 0

await main(process.argv[2])

async function main(what: string | undefined): Promise<void> {
  if (what !== 'examples' && what !== 'package') {
    console.error("what is to be checked: 'examples' or 'package'")
    process.exitCode = 2
    return
  }
  const scratch = mkdtempSync(join(tmpdir(), 'odradek-package-'))
  try {
    const tarball = pack(scratch)
    if (what === 'examples') await checkExamples(tarball, scratch)
    else await checkPackage(tarball, scratch)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  process.exitCode = failed > 0 ? 1 : 0
}

async function checkExamples(tarball: string, scratch: string): Promise<void> {
  const folder = join(scratch, 'examples')
  cpSync(join(root, 'examples'), folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
  npm(['install', ...quiet, tarball, 'lmdb'], folder)
  for (const name of readdirSync(folder).filter((one) => one.endsWith('.js'))) {
    await check({ name, argv: [process.execPath, name], err: /^$/ }, folder)
  }
}

async function checkPackage(tarball: string, scratch: string): Promise<void> {
  const project = join(cache, 'project')
  prepareProject(project)
  npm(['install', ...quiet, '--no-save', tarball], project)
  const checks = [
    ...contractChecks(availableNodes()),
    ...typeChecks(tarball),
    ...bundleChecks(join(scratch, 'elsewhere')),
    ...frameworkChecks(),
    ...commandChecks(join(scratch, 'data')),
  ]
  for (const one of checks) await check(one, project)
}

/** The project as it lies here, with copies of its test files; packages may be there already. */
function prepareProject(project: string): void {
  mkdirSync(project, { recursive: true })
  for (const name of readdirSync(project)) {
    if (name !== 'node_modules') rmSync(join(project, name), { recursive: true })
  }
  cpSync(join(root, 'test/package/project'), project, { recursive: true })
  for (const framework of ['jest', 'vitest', 'ava', 'node']) {
    const folder = join(project, framework)
    for (const name of readdirSync(folder)) {
      for (let number = 2; number <= TEST_FILES; number++) {
        cpSync(join(folder, name), join(folder, name.replace('.', `-${number}.`)))
      }
    }
  }
}

/** The tarball's path. Builds it, as before a release. */
function pack(scratch: string): string {
  npm(['pack', ...quiet, '--pack-destination', scratch], root)
  const name = readdirSync(scratch).find((one) => one.endsWith('.tgz'))
  if (name === undefined) throw new Error('npm pack made no tarball')
  return join(scratch, name)
}

/** This Node, and others from the registry; one that cannot be had is said. */
function availableNodes(): NodeVersion[] {
  const own = Number(process.versions.node.split('.')[0])
  const name = `Node ${process.versions.node}`
  const nodes = [{ major: own, name, executable: process.execPath }]
  for (const major of nodeMajors.filter((one) => one !== own)) {
    const name = `node-${process.platform}-${process.arch}`
    const folder = join(cache, `node-${major}`)
    const executable = join(folder, 'node_modules', name, 'bin', 'node')
    try {
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
      if (!existsSync(executable)) npm(['install', ...quiet, `${name}@${major}`], folder)
      const { stdout } = spawnSync(executable, ['--version'], { encoding: 'utf8' })
      nodes.push({ major, name: `Node ${stdout.trim().slice(1)}`, executable })
    } catch (error) {
      skipped++
      console.log(`SKIPPED: Node ${major} cannot be had: ${String(error).split('\n')[0]}`)
    }
  }
  return nodes
}

function npm(words: readonly string[], cwd: string): void {
  const ran = spawnSync('npm', words, { cwd, env, encoding: 'utf8' })
  if (ran.status === 0) return
  throw new Error(`npm ${words[0]} in ${cwd} ended with ${ran.status}\n${ran.stdout}${ran.stderr}`)
}

async function check(wanted: Check, cwd: string): Promise<void> {
  const startMs = performance.now()
  const ran = await run(wanted, cwd)
  const fits =
    (wanted.exit === 'any' || ran.exit === (wanted.exit ?? 0)) &&
    (wanted.out?.test(ran.out) ?? true) &&
    (wanted.err?.test(ran.err) ?? true)
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
  console.log(`${fits ? 'ok    ' : 'FAILED'} ${wanted.name} (${seconds} s)`)
  if (fits) passed++
  else failed++
  if (!fits) console.log(`exit: ${ran.exit}\n${tail(ran.out)}\n${tail(ran.err)}`)
}

/** Runs a program to its end, in a process group of its own as a terminal would. */
function run({ argv, interruptAt }: Check, cwd: string): Promise<Ran> {
  const [command = '', ...words] = argv
  const child = spawn(command, words, {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  let interrupt = interruptAt
  const signal = (name: NodeJS.Signals) => {
    if (child.pid !== undefined) process.kill(-child.pid, name)
  }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    if (!interrupt?.test(out)) return
    interrupt = undefined
    signal('SIGINT')
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const timer = setTimeout(() => {
    err += `\nstill running after ${msMax / 1000} s`
    signal('SIGKILL')
  }, msMax)
  return new Promise((resolve) => {
    child.once('error', (error) => {
      err += error.message
    })
    child.once('close', (code, signalName) => {
      clearTimeout(timer)
      resolve({ exit: code ?? signalName, out, err })
    })
  })
}

function tail(text: string): string {
  const lines = text.trimEnd().split('\n').slice(-40)
  return lines.map((line) => `    ${line.slice(0, 300)}`).join('\n')
}
