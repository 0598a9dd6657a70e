/** `npm run generate`: writes the documents that follow from the tables of settings. */
import { writeFileSync } from 'node:fs'
import { configReference, serverProperties } from '../config/document.ts'

const folder = new URL('../../../config/', import.meta.url)
writeFileSync(new URL('server.properties', folder), serverProperties())
writeFileSync(new URL('README.md', folder), configReference())
