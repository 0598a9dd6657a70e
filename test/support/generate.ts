/** `npm run generate`: writes what of the documents follows from the tables. */
import { writeFileSync } from 'node:fs'
import { documents } from './documents.ts'
import { root } from './source.ts'

for (const { path, text } of documents()) writeFileSync(new URL(path, root), text)
