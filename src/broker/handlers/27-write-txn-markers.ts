/**
 * WriteTxnMarkers 1-2 (KIP-98; v2 the version of the transaction, KIP-1228).
 * Kept: Kafka's brokers send it to each other, and its tool to end a transaction by hand; a marker
 *   with an older epoch of its producer or its coordinator is refused, one that comes again is
 *   appended again.
 */
import type { MarkerTarget } from '../../coordinator/transaction/commands.ts'
import { WriteTxnMarkers } from '../../protocol/apis/27-write-txn-markers.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { defineHandler } from './handler.ts'

export const writeTxnMarkers = defineHandler(WriteTxnMarkers, [1, 2], (request, exchange) => {
  const targets: MarkerTarget[] = []
  const places: { errorCode: ErrorCode }[] = []
  const markers = request.markers.map((marker) => {
    const { producerId, producerEpoch, transactionResult, coordinatorEpoch } = marker
    const topics = marker.topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => {
        const errorCode: ErrorCode = ErrorCode.UNKNOWN_SERVER_ERROR
        const place = { partitionIndex, errorCode }
        // Nothing of such a producer can be in a log.
        if (producerId < 0 || producerEpoch < 0) return place
        places.push(place)
        targets.push({
          topic: name,
          partition: partitionIndex,
          producerId,
          producerEpoch,
          commit: transactionResult,
          coordinatorEpoch,
          transactionVersion: marker.transactionVersion,
        })
        return place
      }),
    }))
    return { producerId, topics }
  })
  const { callCoordinator } = exchange.context
  callCoordinator({ kind: 'write-txn-markers', markers: targets }, (answer) => {
    for (const [at, place] of places.entries()) {
      place.errorCode = answer?.errorCodes[at] ?? ErrorCode.NOT_LEADER_OR_FOLLOWER
    }
    exchange.reply({ markers })
  })
})
