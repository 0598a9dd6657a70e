/** Batches for tests of the log: as producers send them, and as they lie in a segment. */
import { crc32c } from '@node-rs/crc32'
import {
  type BatchInput,
  buildBatch,
  CONTROL_BIT,
  TRANSACTIONAL_BIT,
} from '../../src/protocol/record-batch.ts'

/** What a test says of a batch; everything has a default. */
export interface BatchSketch {
  base?: number
  /** How many records. */
  count?: number
  epoch?: number
  /** Milliseconds of the first record; each further one is a millisecond later. */
  timestamp?: number
  producerId?: number
  producerEpoch?: number
  sequence?: number
  transactional?: boolean
  /** Bytes of each value. */
  valueBytes?: number
  /** Begins each value, so that batches differ. */
  text?: string
  /** The values themselves; they decide the count. */
  values?: readonly string[]
}

/** A whole batch with the right CRC. */
export function batchOf(sketch: BatchSketch = {}): Buffer {
  const count = sketch.values?.length ?? sketch.count ?? 1
  const timestamp = sketch.timestamp ?? 1000
  const text = sketch.text ?? 'value'
  const records = Array.from({ length: count }, (_, i) => ({
    timestamp: timestamp + i,
    key: Buffer.from(`k${i}`),
    value: Buffer.from(sketch.values?.[i] ?? `${text}-${i}`.padEnd(sketch.valueBytes ?? 0, '.')),
  }))
  return build({ records, attributes: sketch.transactional ? TRANSACTIONAL_BIT : 0 }, sketch)
}

/** A transaction marker as a coordinator has it written. */
export function markerOf(sketch: BatchSketch & { commit: boolean }): Buffer {
  const key = Buffer.from([0, 0, 0, sketch.commit ? 1 : 0])
  const value = Buffer.from([0, 0, 0, 0, 0, 7])
  const records = [{ timestamp: sketch.timestamp ?? 1000, key, value }]
  return build({ records, attributes: TRANSACTIONAL_BIT | CONTROL_BIT }, sketch)
}

function build(input: BatchInput, sketch: BatchSketch): Buffer {
  return buildBatch(
    {
      ...input,
      baseOffset: sketch.base ?? 0,
      partitionLeaderEpoch: sketch.epoch ?? 0,
      producerId: sketch.producerId ?? -1,
      producerEpoch: sketch.producerEpoch ?? -1,
      baseSequence: sketch.sequence ?? -1,
    },
    crc32c,
  )
}

/** Batches one behind the other, offsets without gaps from `base` on. */
export function segmentOf(base: number, sketches: readonly BatchSketch[]): Buffer {
  let next = base
  const batches = sketches.map((sketch) => {
    const batch = batchOf({ ...sketch, base: next })
    next += sketch.count ?? 1
    return batch
  })
  return Buffer.concat(batches)
}

export { crc32c }
