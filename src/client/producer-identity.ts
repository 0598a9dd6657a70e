/** Where a producer's id and epoch come from. KIP-98. */
import { InitProducerId } from '../protocol/apis/22-init-producer-id.ts'
import type { ClusterClient } from './cluster-client.ts'
import { asKafkaError, type KafkaError, throwOnError } from './errors.ts'
import type { ProducerIdentity } from './partition-queue.ts'

const TRANSACTION_TIMEOUT_MS = 0x7fffffff

/** Who is told how it ended. */
export interface IdentityListener {
  onIdentity(): void
  onIdentityFailed(error: KafkaError): void
}

/** What the sender asks for the producer's id. */
export interface IdentitySource {
  /** undefined: not known yet. */
  readonly current: ProducerIdentity | undefined
  /** Another id is needed; whoever sends is told when it is there. */
  renew(): void
}

/** An id without transactions, asked for when it is first needed. Between calls: at most one
 *  request is under way. */
export class AnonymousIdentity implements IdentitySource {
  current: ProducerIdentity | undefined
  readonly #cluster: ClusterClient
  readonly #timeoutMs: number
  readonly #listener: IdentityListener
  #asking = false

  constructor(cluster: ClusterClient, timeoutMs: number, listener: IdentityListener) {
    this.#cluster = cluster
    this.#timeoutMs = timeoutMs
    this.#listener = listener
  }

  renew(): void {
    this.current = undefined
    if (this.#asking) return
    this.#asking = true
    const body = { transactionalId: null, transactionTimeoutMs: TRANSACTION_TIMEOUT_MS }
    const ask = async () => {
      const answer = await this.#cluster.requestAny(InitProducerId, body)
      throwOnError(answer.errorCode)
      return answer
    }
    this.#cluster.retry(ask, this.#timeoutMs, 'producer id').then(
      ({ producerId, producerEpoch }) => {
        this.#asking = false
        this.current = { producerId, producerEpoch }
        this.#listener.onIdentity()
      },
      (error: unknown) => {
        this.#asking = false
        this.#listener.onIdentityFailed(asKafkaError(error))
      },
    )
  }
}
