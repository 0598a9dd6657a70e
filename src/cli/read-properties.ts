/** Reads a `server.properties` file (the format of java.util.Properties). */
import { readFileSync } from 'node:fs'
import type { ConfigText } from '../config/define.ts'

/** The settings in a file, or one sentence that says why it cannot be read. */
export async function readProperties(path: string): Promise<ConfigText | string> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return `There is no file ${path}`
    return `The file ${path} cannot be read (${code})`
  }
  // Only a start with a file pays for the parser.
  const { getProperties } = await import('properties-file')
  try {
    return new Map(Object.entries(getProperties(text)))
  } catch (error) {
    return `The file ${path} is no properties file: ${(error as Error).message}`
  }
}
