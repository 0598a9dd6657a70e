/** The project's own files as text, for the tests that read them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** The project's folder. */
export const root = new URL('../../../', import.meta.url)

/** One file. `path` is relative to the project, with slashes. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** One import or re-export. `to` is a path in the project, or the name of a package. */
export interface Import {
  readonly from: SourceFile
  readonly to: string
  /** Gone after compilation. */
  readonly typeOnly: boolean
}

/** All TypeScript files under the folder `under`, in the order of their paths. */
export function sources(under: string): SourceFile[] {
  if (!existsSync(new URL(`${under}/`, root))) return []
  return readdirSync(new URL(`${under}/`, root), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
    .map((name) => `${under}/${name.replaceAll('\\', '/')}`)
    .sort()
    .map((path) => ({ path, text: read(path) }))
}

/** The text of one file. */
export function read(path: string): string {
  return readFileSync(new URL(path, root), 'utf8')
}

/** The imports of a file; a path that leaves the project is told as it stands. */
export function importsOf(from: SourceFile): Import[] {
  const pattern = /\b(import|export)\b(\s+type\b)?([^'"`;]*?\bfrom\s*|\s*\(\s*|\s*)'([^']+)'/g
  const found: Import[] = []
  for (const [, , typeOnly, names = '', to = ''] of withoutComments(from.text).matchAll(pattern)) {
    const everyNameIsType = /^\s*\{(\s*type\s+[\w$]+(\s+as\s+\w+)?\s*,?)+\s*\}\s*from\s*$/.test(
      names,
    )
    found.push({ from, to: target(from.path, to), typeOnly: !!typeOnly || everyNameIsType })
  }
  return found
}

/** The text without comments and without what stands in quotes: only what is executed. */
export function codeOf(file: SourceFile): string {
  return withoutComments(file.text)
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
    .replace(/`(?:[^`\\]|\\[\s\S])*`/g, '``')
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[\s;{(,])\/\/.*$/gm, '$1')
}

function target(path: string, to: string): string {
  if (!to.startsWith('.')) return to
  return new URL(to, new URL(path, 'file:///')).pathname.slice(1)
}
