/** The package's door: what Node finds behind it, and what comes of it in somebody's bundle. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import * as face from '../../src/index.ts'

const door = new URL('../../bundle/index.cjs', import.meta.url)
const folder = fileURLToPath(new URL('../../bundle/', import.meta.url))

/** The door as bundlers leave it: a module object of their own, without `require`. */
const bundled = `;((module) => {
${readFileSync(door, 'utf8')}
console.log(typeof module.exports.Broker.start)
})({ exports: {} })
`

/** Runs a bundle in `folder`, and from there. */
function runBundle(folder: string, name: string) {
  const file = join(folder, name)
  writeFileSync(file, bundled)
  try {
    const { stdout, stderr } = spawnSync(process.execPath, [file], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: '', NODE_PATH: '' },
    })
    return { stdout, stderr }
  } finally {
    rmSync(file)
  }
}

test('both ways to load the package give all that it exports', async (t) => {
  const imported = (await import(door.href)) as object
  const names = Object.keys(face)
  t.deepEqual(
    names.filter((name) => !(name in imported)),
    [],
  )
  const required = createRequire(import.meta.url)(fileURLToPath(door)) as object
  t.deepEqual(Object.keys(required).sort(), names.sort())
})

for (const format of ['mjs', 'cjs']) {
  test(`a bundle finds the package that is installed where it runs: ${format}`, (t) => {
    const { stdout, stderr } = runBundle(folder, `test-bundle-${process.pid}.${format}`)
    t.is(stderr, '')
    t.is(stdout, 'function\n')
  })

  test(`a bundle far from the package says what to do, in one sentence: ${format}`, (t) => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'odradek-bundle-'))
    try {
      const { stdout, stderr } = runBundle(elsewhere, `bundle.${format}`)
      t.is(stdout, '')
      t.regex(stderr, /^\w+ \[StartError\]: odradek is in a bundle, .* mark it as external /m)
    } finally {
      rmSync(elsewhere, { recursive: true })
    }
  })
}
