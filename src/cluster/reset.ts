/** The decision behind `broker.reset()`: everything that was made since the start goes away. */
import { ErrorCode } from '../protocol/errors.ts'
import type { Decision, Outcome } from './commands.ts'
import type { MetadataDelta } from './delta.ts'
import type { ClusterImage } from './image.ts'

/** All topics, the coordinators' own included, and all dynamic configurations. */
export function reset(image: ClusterImage): Decision<Outcome> {
  const deltas: MetadataDelta[] = image
    .topics()
    .map(({ name, id }) => ({ kind: 'topic-deleted', name, id }))
  for (const broker of ['', String(image.nodeId)]) {
    if (image.brokerConfigs(broker).size === 0) continue
    deltas.push({ kind: 'broker-configs-set', broker, configs: [] })
  }
  for (const group of image.groupConfigs.keys()) {
    deltas.push({ kind: 'group-configs-set', group, configs: [] })
  }
  for (const subscription of image.clientMetrics.keys()) {
    deltas.push({ kind: 'client-metrics-set', subscription, configs: [] })
  }
  return { answers: [{ errorCode: ErrorCode.NONE, errorMessage: null }], deltas }
}
