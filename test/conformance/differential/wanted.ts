/** The differences from Kafka that we want, each with its reason. Those that do not show fail. */
import type { Wanted } from './compare.ts'

/** The table. */
export const wanted: readonly Wanted[] = []
