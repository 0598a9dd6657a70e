/** A partition on the disk that is measured, with the shell that it needs. */
import path from 'node:path'
import { crc32c } from '@node-rs/crc32'
import { Partition, type PartitionHost } from '../src/actors/partition.ts'
import { createCodecs } from '../src/codecs/codecs.ts'
import { effectiveBroker, staticLayers, topicDefaults } from '../src/config/effective.ts'
import { BufferPool } from '../src/ring/arena.ts'
import { DiskStorage } from '../src/storage/disk.ts'
import { MIB } from './harness.ts'

const log = { debug() {}, info() {}, warn: console.warn, error: console.error }
const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() }

/** One partition that is online; old segments are removed by `trim`. */
export class BenchPartition {
  readonly pool = new BufferPool({ shared: false })
  readonly partition: Partition
  readonly #storage: DiskStorage

  constructor(directory: string, topic: string) {
    const set = { 'log.segment.bytes': String(64 * MIB), 'log.segment.delete.delay.ms': '0' }
    const config = topicDefaults(effectiveBroker(staticLayers(set)))
    this.#storage = new DiskStorage(path.join(directory), 100, log)
    const { index } = this.#storage
    const host: PartitionHost = {
      pool: this.pool,
      codecs: createCodecs(),
      decompressedBytesMax: 128 * MIB,
      groupCommit: false,
      advanced() {},
      diskRefused: (_partition, error) => console.error(error),
      failed: (_partition, error) => console.error(error),
    }
    const parts = { name: topic, slot: 1, index, clock, crc32c, random: Math.random }
    const segments = this.#storage.directory(topic, 0, 'AAAAAAAAAAAAAAAAAAAAAA')
    this.partition = new Partition({ ...parts, directory: segments }, 0, config, host)
    this.partition.log.open(true)
    this.partition.goOnline()
  }

  /** Keeps the newest two segments. */
  trim(): void {
    const { log } = this.partition
    while (log.segments.length > 2) log.removeOldest()
  }

  async close(): Promise<void> {
    this.partition.log.close()
    await this.#storage.close()
  }
}
