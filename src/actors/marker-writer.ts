/**
 * Has markers of transactions appended where their partitions live. Those of committed offsets go
 * by the coordinator of groups, since with them the offsets begin to hold.
 */

import { OFFSETS_TOPIC } from '../cluster/internal-topics.ts'
import type { CoordinatorRuntime } from '../coordinator/runtime.ts'
import type { MarkerTarget } from '../coordinator/transaction/commands.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { CoordinatorParts } from './coordinator.ts'

/** See TransactionServiceParts.writeMarkers. */
export function markerWriter(
  parts: CoordinatorParts,
  groups: () => CoordinatorRuntime,
): (markers: readonly MarkerTarget[], done: (errorCodes: readonly ErrorCode[]) => void) => void {
  return (markers, done) => {
    const errorCodes: ErrorCode[] = []
    let open = markers.length + 1
    const onOne = (at: number, errorCode: ErrorCode) => {
      errorCodes[at] = errorCode
      open--
      if (open === 0) done(errorCodes)
    }
    const byThread = new Map<number, { at: number; slot: number; marker: MarkerTarget }[]>()
    for (const [at, marker] of markers.entries()) {
      const { topic, partition } = marker
      const image = parts.image.topic(topic)?.partitions[partition]
      if (image === undefined) onOne(at, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
      else if (topic === OFFSETS_TOPIC) {
        const problem = groups().problemOf(partition)
        if (problem !== ErrorCode.NONE) onOne(at, problem)
        else groups().writeMarker(partition, marker, (errorCode) => onOne(at, errorCode))
      } else {
        const others = byThread.get(image.thread)
        const one = { at, slot: image.slot, marker }
        if (others === undefined) byThread.set(image.thread, [one])
        else others.push(one)
      }
    }
    for (const [thread, asked] of byThread) {
      const orders = asked.map(({ slot, marker }) => ({ ...marker, slot }))
      parts.callPartitions(thread, { kind: 'write-markers', markers: orders }, (results) => {
        for (const [i, { at }] of asked.entries()) {
          onOne(at, (results?.[i]?.errorCode ?? ErrorCode.KAFKA_STORAGE_ERROR) as ErrorCode)
        }
      })
    }
    open--
    if (open === 0) done(errorCodes)
  }
}
