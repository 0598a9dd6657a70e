/** A consumer whose fetches wait longer than any test takes. */
import type { Consumer, ConsumerSettings, TopicPartition } from '../../src/index.ts'

/** Its settings. It learns of a rebalance by a heartbeat. */
export const patient = {
  groupId: 'patient',
  autoOffsetReset: 'earliest',
  enableAutoCommit: false,
  fetchMinBytes: 1_000_000,
  fetchMaxWaitMs: 600_000,
  heartbeatIntervalMs: 20,
} as const satisfies ConsumerSettings

/** Asks for records until the consumer is closed. */
export async function reading(consumer: Consumer): Promise<void> {
  await consumer.subscribe(['t'])
  for await (const _ of consumer);
}

/** What the consumer has, as soon as these are so many partitions. */
export async function assigned(consumer: Consumer, count: number): Promise<TopicPartition[]> {
  for (;;) {
    const partitions = consumer.assignment()
    if (partitions.length === count) return partitions
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
