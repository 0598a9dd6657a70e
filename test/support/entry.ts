/** Writes the package's door into the bundle, with the names of all values behind it: Node reads
 *  them from the text when a module imports it. */
import { readFileSync, writeFileSync } from 'node:fs'
import * as face from '../../src/index.ts'
import { root } from './source.ts'

const door = readFileSync(new URL('src/entry.cjs', root), 'utf8')
const names = Object.keys(face).join(', ')
writeFileSync(
  new URL('dist/bundle/index.cjs', root),
  `${door}0 && (module.exports = { ${names} })\n`,
)
