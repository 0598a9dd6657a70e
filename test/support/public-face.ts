/**
 * The public face as text: every name that `src/index.ts` exports, with its compiled declaration.
 */
import { readFileSync } from 'node:fs'

const compiled = new URL('../../src/', import.meta.url)

/** One block per name, in the order of the names. */
export function publicFace(): string {
  const blocks: { name: string; text: string }[] = []
  const index = readFileSync(new URL('index.d.ts', compiled), 'utf8')
  for (const [, names = '', from = ''] of index.matchAll(
    /export (?:type )?\{([^}]*)\} from '([^']+)'/g,
  )) {
    for (const one of names.split(',').filter((one) => one.trim() !== '')) {
      const name = one.replace(/\btype\b/, '').trim()
      blocks.push({
        name,
        text: declarationOf(name, new URL(from, new URL('index.d.ts', compiled))),
      })
    }
  }
  blocks.sort((a, b) => (a.name < b.name ? -1 : 1))
  return `${blocks.map(({ name, text }) => `== ${name}\n${text}`).join('\n\n')}\n`
}

/** The declaration of `name`, without docstrings. Follows one more re-export if there is one. */
function declarationOf(name: string, script: URL): string {
  const file = new URL(script.href.replace(/\.(js|ts)$/, '.d.ts'))
  const text = readFileSync(file, 'utf8').replace(/^\s*\/\*\*[\s\S]*?\*\/\n/gm, '')
  const statements = text.split(/^(?=export )/m)
  const own = new RegExp(`^export (declare )?(interface|class|function|type|const) ${name}\\b`)
  const found = statements.find((statement) => own.test(statement))
  if (found !== undefined) return found.trim()
  const moved = new RegExp(`export (?:type )?\\{[^}]*\\b${name}\\b[^}]*\\} from '([^']+)'`).exec(
    text,
  )
  if (moved === null) throw new Error(`no declaration of ${name} in ${file.pathname}`)
  return declarationOf(name, new URL(moved[1] as string, file))
}
