/**
 * Judges the batches that producers send to one partition, as its topic's configuration wants:
 * header, records, compression. It lives on the partition's thread and writes nothing.
 */
import type { TopicConfig } from '../config/topic.ts'
import {
  type BatchRules,
  checkRecords,
  headerProblem,
  type RecordsFacts,
  type Refusal,
} from '../log/batch-rules.ts'
import { recompressed } from '../log/recompress.ts'
import { CodecError, CodecId, type Codecs, type CompressedCodec } from '../protocol/compression.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { type Crc32c, compressionOf, RECORD_BATCH_OVERHEAD } from '../protocol/record-batch.ts'

/** What judging needs beside the configuration. */
export interface JudgeTools {
  readonly codecs: Codecs
  readonly decompressedBytesMax: number
  readonly crc32c: Crc32c
}

/** Shared by all partitions of a thread: filled by `checkRecords`, read at once. */
const facts: RecordsFacts = { maxTimestamp: -1, refusal: undefined }

export class BatchJudge {
  readonly #tools: JudgeTools
  #config: TopicConfig
  #rules: BatchRules

  constructor(tools: JudgeTools, config: TopicConfig) {
    this.#tools = tools
    this.#config = config
    this.#rules = rulesOf(config)
  }

  /** The topic's configuration changed. */
  configure(config: TopicConfig): void {
    this.#config = config
    this.#rules = rulesOf(config)
  }

  /** Records get the time of their append. */
  get logAppendTime(): boolean {
    return this.#rules.logAppendTime
  }

  /** Largest timestamp, ms, of the records that were judged last. */
  get maxTimestamp(): number {
    return facts.maxTimestamp
  }

  /**
   * The batch to append: `records` itself, or another one where the topic wants another codec; or
   * why there is none.
   */
  // hot
  judge(records: Buffer, nowMs: number): Buffer | Refusal {
    const rules = this.#rules
    const problem = headerProblem(records, rules, this.#tools.crc32c)
    if (problem !== undefined) return problem
    const codec = compressionOf(records, 0)
    const target = this.#targetCodec(codec)
    if (codec === CodecId.uncompressed && target === CodecId.uncompressed) {
      checkRecords(records, records, RECORD_BATCH_OVERHEAD, rules, nowMs, facts)
      return facts.refusal ?? records
    }
    const plain = this.plainRecords(records, codec)
    if (!Buffer.isBuffer(plain)) return plain
    checkRecords(records, plain, 0, rules, nowMs, facts)
    if (facts.refusal !== undefined) return facts.refusal
    if (target === codec) return records
    const batch = recompressed(records, plain, target, this.#tools.codecs, this.#level(target))
    return batch.length > rules.maxMessageBytes ? TOO_LARGE_RECOMPRESSED : batch
  }

  /** The records of a batch without compression, or why there are none. */
  plainRecords(records: Buffer, codec: number): Buffer | Refusal {
    const body = records.subarray(RECORD_BATCH_OVERHEAD)
    if (codec === CodecId.uncompressed) return body
    if (codec > CodecId.zstd) return corrupt(`Unknown compression codec ${codec}`)
    const { codecs, decompressedBytesMax } = this.#tools
    try {
      const plain = codecs.decompress(codec as CompressedCodec, body, decompressedBytesMax)
      return Buffer.from(plain.buffer, plain.byteOffset, plain.length)
    } catch (error) {
      if (!(error instanceof CodecError)) throw error
      return error.tooLarge ? TOO_LARGE_DECOMPRESSED : corrupt(error.message)
    }
  }

  #targetCodec(codec: number): number {
    const type = this.#config['compression.type']
    return type === 'producer' ? codec : CodecId[type as keyof typeof CodecId]
  }

  #level(codec: number): number {
    if (codec === CodecId.gzip) return this.#config['compression.gzip.level']
    if (codec === CodecId.lz4) return this.#config['compression.lz4.level']
    return this.#config['compression.zstd.level']
  }
}

const TOO_LARGE_DECOMPRESSED: Refusal = {
  errorCode: ErrorCode.MESSAGE_TOO_LARGE,
  message: 'The batch holds more than odradek.decompressed.batch.bytes.max when decompressed',
  recordErrors: null,
  beforeLog: true,
}

const TOO_LARGE_RECOMPRESSED: Refusal = {
  errorCode: ErrorCode.MESSAGE_TOO_LARGE,
  message: 'The batch exceeds max.message.bytes in the compression that the topic wants',
  recordErrors: null,
  beforeLog: true,
}

function corrupt(message: string): Refusal {
  return { errorCode: ErrorCode.CORRUPT_MESSAGE, message, recordErrors: null, beforeLog: false }
}

function rulesOf(config: TopicConfig): BatchRules {
  return {
    maxMessageBytes: config['max.message.bytes'],
    segmentBytes: config['segment.bytes'],
    compacted: config['cleanup.policy'].includes('compact'),
    logAppendTime: config['message.timestamp.type'] === 'LogAppendTime',
    timestampBeforeMaxMs: config['message.timestamp.before.max.ms'],
    timestampAfterMaxMs: config['message.timestamp.after.max.ms'],
  }
}
