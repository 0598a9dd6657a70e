/** Produce: idempotent producers in order, out of order, again, and with other epochs. */
import { Produce } from '../../../src/protocol/apis/00-produce.ts'
import type { RequestInput } from '../../../src/protocol/schema.ts'
import { batchOf, recordsOf } from './batches.ts'
import { type Case, inAllVersions } from './case.ts'
import * as world from './world.ts'

type Body = RequestInput<typeof Produce>

/** A producer of its own for each version: the versions of a scenario share a partition. */
export function idempotence(): Case[] {
  return [
    ...producer('sequence -1', [[0, -1]]),
    ...producer('epoch -1', [[-1, 0]]),
    ...producer('epoch -1 and sequence -1', [[-1, -1]]),
    ...producer('starting at 5', [[0, 5]]),
    ...producer('in order', [
      [0, 0],
      [0, 3],
    ]),
    ...producer('a duplicate', [
      [0, 0],
      [0, 0],
    ]),
    ...producer('a gap', [
      [0, 0],
      [0, 4],
    ]),
    ...producer('an overlap', [
      [0, 0],
      [0, 2],
    ]),
    ...producer('an old epoch', [
      [4, 0],
      [3, 3],
    ]),
    ...producer('a new epoch in the middle', [
      [4, 0],
      [5, 3],
    ]),
    ...producer('a new epoch', [
      [4, 0],
      [5, 0],
    ]),
    ...producer('a duplicate of an old epoch', [
      [4, 0],
      [5, 0],
      [4, 0],
    ]),
    ...producer('over the end of sequences', [
      [0, 0x7ffffffd],
      [0, 0],
    ]),
    ...producer('past the end of sequences', [
      [0, 0x7ffffffe],
      [0, 1],
    ]),
    ...producer('the fifth last', [
      [0, 0],
      [0, 3],
      [0, 6],
      [0, 9],
      [0, 12],
      [0, 0],
    ]),
    ...producer('the sixth last', [
      [0, 0],
      [0, 3],
      [0, 6],
      [0, 9],
      [0, 12],
      [0, 15],
      [0, 0],
    ]),
    ...producer('part of a duplicate', [[0, 0]], [[0, 0, 2]]),
  ]
}

type Claim = readonly [epoch: number, sequence: number, count?: number]

function producer(scenario: string, claims: readonly Claim[], more: readonly Claim[] = []): Case[] {
  const index = world.takePartition(`producer: ${scenario}`)
  const all = [...claims, ...more]
  const cases = all.map(([producerEpoch, baseSequence, count], step) =>
    inAllVersions(Produce, `producer: ${scenario}, step ${step}`, (side, version) => {
      const producerId = 9_000_000 + index * 100 + version
      const records = batchOf({
        records: recordsOf(count ?? 3),
        producerId,
        producerEpoch,
        baseSequence,
      })
      return produceTo(side.topicId(world.PLAIN), world.PLAIN, [{ index, records }])
    }),
  )
  // All steps of one version, then those of the next.
  return (cases[0] ?? []).flatMap((_, place) => cases.map((steps) => steps[place] as Case))
}

/** A request for partitions of one topic. */
export function produceTo(
  topicId: string,
  name: string,
  partitionData: { index: number; records: Buffer | null }[],
): Body {
  return { acks: -1, timeoutMs: 10_000, topicData: [{ name, topicId, partitionData }] }
}
