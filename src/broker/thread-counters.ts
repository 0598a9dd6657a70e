/**
 * What each thread counts where all threads can see it; each counter has one writer, its thread.
 */
export const COUNTER_NAMES = ['connections', 'accesses'] as const

/** Open connections. */
export const CONNECTIONS = 0

/** Reads of partitions and appends to them. */
export const ACCESSES = 1
