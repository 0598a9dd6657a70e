/**
 * Runs test/scenarios/group/*.txt: commands, `----`, transcript. With `-- --update` behind ava's
 * own options the transcripts are written anew, to be looked at as a diff.
 */
import { readdirSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { read, root } from '../support/source.ts'
import { ClassicScript } from './classic-script.ts'
import { ConsumerScript } from './consumer-script.ts'
import { DeliveryScript } from './delivery-script.ts'
import { ShareScript } from './share-script.ts'
import { StreamsScript } from './streams-script.ts'

const FOLDER = 'test/scenarios/group'
const RULE = '----'
const updates = process.argv.includes('--update')

interface Script {
  /** The transcript of some lines. */
  run(text: string): string
}

/** The first word of a file's name says which language it is in. */
const languages: Readonly<Record<string, (configs: Record<string, string>) => Script>> = {
  classic: (configs) => new ClassicScript(configs),
  consumer: (configs) => new ConsumerScript(configs),
  share: (configs) => new ShareScript(configs),
  streams: (configs) => new StreamsScript(configs),
  // What share groups deliver.
  delivery: (configs) => new DeliveryScript(configs),
}

for (const name of readdirSync(new URL(`${FOLDER}/`, root)).sort()) {
  const [kind = ''] = name.split('-')
  test(`groups go on as ${name} says`, (t) => {
    const path = `${FOLDER}/${name}`
    const text = read(path)
    const script = languages[kind]!(configsOf(text))
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
