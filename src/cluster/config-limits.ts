/** Bounds of what is kept by name, since every thread holds all of it in memory. */
import type { ConfigEntries } from './delta.ts'

/** Keys and texts of one resource together, in UTF-16 units. */
export const CONFIG_LENGTH_MAX = 1 << 20

/** Groups with a configuration of their own, and as many client metrics subscriptions. */
export const CONFIGURED_RESOURCES_MAX = 10_000

/** True for configurations above `CONFIG_LENGTH_MAX`. */
export function configsOutgrown(entries: ConfigEntries): boolean {
  let size = 0
  for (const [key, text] of entries) size += key.length + text.length
  return size > CONFIG_LENGTH_MAX
}
