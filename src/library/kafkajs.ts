/** An adapter: kafkajs talks to a broker in this process without a network. */
import type { Socket } from 'node:net'
import type { MessagePort } from 'node:worker_threads'
import { PortStream } from '../net/port-stream.ts'

/** Whatever gives connections to a broker: a `Broker`, or what stands for it on another thread. */
export interface PortSource {
  /** A new connection each time. */
  connect(): MessagePort
}

/** What kafkajs asks a socket factory for; address and TLS mean nothing without a network. */
export interface SocketRequest {
  readonly onConnect: () => void
}

/**
 * The `socketFactory` of kafkajs for a broker in process. kafkajs wants `brokers` to name one,
 * which is not looked at: `brokers: ['in-process:0']`.
 */
export function kafkajsSocketFactory(broker: PortSource): (request: SocketRequest) => Socket {
  return ({ onConnect }) => {
    const stream = new PortStream(broker.connect())
    // After the caller has set its listeners.
    process.nextTick(onConnect)
    // It has what kafkajs uses of a socket.
    return stream as unknown as Socket
  }
}
