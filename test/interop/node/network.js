/**
 * The way of kafkajs to the broker: over TCP, or, where the address is `in-process`, to a broker
 * that is started here, without a network.
 */
import { createRequire } from 'node:module'
import { bootstrap } from './checks.js'

const require = createRequire(import.meta.url)

/** `close`: after the last client. */
export async function openNetwork() {
  if (bootstrap !== 'in-process') {
    const tcp = require('kafkajs/src/network/socketFactory')
    return { brokers: [bootstrap], socketFactory: tcp(), close: async () => {} }
  }
  const library = new URL('../../../dist/bundle/index.cjs', import.meta.url)
  const { Broker, kafkajsSocketFactory } = await import(library.href)
  const broker = await Broker.start({ profile: 'strict' })
  const socketFactory = kafkajsSocketFactory(broker)
  return { brokers: ['in-process:0'], socketFactory, close: () => broker.stop() }
}
