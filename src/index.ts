/**
 * The public face: a broker inside your own process. What the command `odradek serve` does, a
 * program does with `loadConfig` and `startBroker`.
 */
export type { Log, LogFields } from './base/log.ts'
export { type RunningBroker, StartError, startBroker } from './broker/broker.ts'
export {
  type CommandLine,
  type ConfigSources,
  type LoadedConfig,
  loadConfig,
} from './cli/load-config.ts'
export type { BrokerConfig } from './config/broker.ts'
export { Broker, type BrokerOptions } from './library/broker.ts'
