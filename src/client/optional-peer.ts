/** Packages that a program installs itself if it wants what they do. */
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** The package; throws an Error that says what it is needed for. */
export function optionalPeer<T>(name: string, wanted: string): T {
  try {
    return require(name) as T
  } catch (cause) {
    throw new Error(`${wanted} needs the package '${name}': npm install ${name}`, { cause })
  }
}
