/** Metadata of a broker that keeps nothing: the same calls as MetadataStore, without a file. */
import { newUuid } from '../base/uuid.ts'
import type { MetadataDelta } from '../cluster/delta.ts'
import { type LoadedMetadata, type Metadata, PRODUCER_ID_BLOCK_SIZE } from './metadata.ts'

/** Lives on the coordinator's thread and ends with it. */
export class MemoryMetadata implements Metadata {
  readonly #clusterId: string
  readonly #deltas: MetadataDelta[] = []
  #startCount = 0
  #nextProducerId = 0

  constructor(clusterId?: string) {
    this.#clusterId = clusterId || newUuid(Math.random)
  }

  load(): LoadedMetadata {
    return { clusterId: this.#clusterId, startCount: this.#startCount, deltas: [...this.#deltas] }
  }

  /** A deleted topic takes its own history with it, so that a long life does not grow. */
  append(deltas: readonly MetadataDelta[]): void {
    for (const delta of deltas) {
      if (delta.kind !== 'topic-deleted') {
        this.#deltas.push(delta)
        continue
      }
      const kept = this.#deltas.filter((one) => !('id' in one) || one.id !== delta.id)
      this.#deltas.length = 0
      this.#deltas.push(...kept)
    }
  }

  nextProducerIdBlock(): number {
    const first = this.#nextProducerId
    this.#nextProducerId += PRODUCER_ID_BLOCK_SIZE
    return first
  }

  beginStart(): number {
    return ++this.#startCount
  }

  deletedTopics(): [] {
    return []
  }

  forgetDeleted(): void {}

  async close(): Promise<void> {}
}
