/**
 * Runs test/scenarios/group/classic-*.txt: commands, `----`, transcript. With `-- --update` behind
 * ava's own options the transcripts are written anew, to be looked at as a diff.
 */
import { readdirSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { read, root } from '../support/source.ts'
import { ClassicScript } from './classic-script.ts'

const FOLDER = 'test/scenarios/group'
const RULE = '----'
const updates = process.argv.includes('--update')

for (const name of readdirSync(new URL(`${FOLDER}/`, root)).sort()) {
  if (!name.startsWith('classic-') || !name.endsWith('.txt')) continue
  test(`a classic group goes on as ${name} says`, (t) => {
    const path = `${FOLDER}/${name}`
    const text = read(path)
    const script = new ClassicScript(configsOf(text))
    const written = text
      .trimEnd()
      .split('\n\n')
      .map((block) => {
        const [commands = ''] = block.split(`\n${RULE}`)
        if (commands.split('\n').every((line) => line.startsWith('#'))) return commands
        return `${commands}\n${RULE}\n${script.run(commands)}`.trimEnd()
      })
      .join('\n\n')
    if (updates) writeFileSync(new URL(path, root), `${written}\n`)
    t.is(updates ? read(path).trimEnd() : text.trimEnd(), written)
  })
}

/** Broker settings stand at the top: `# set KEY=VALUE`. */
function configsOf(text: string): Record<string, string> {
  const settings = [...text.matchAll(/^# set (\S+?)=(.*)$/gm)]
  return Object.fromEntries(settings.map(([, key = '', value = '']) => [key, value]))
}
