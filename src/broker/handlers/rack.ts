/** The rack of this node, as Metadata and DescribeCluster name it. */
import { brokerValue } from '../../config/effective.ts'
import type { BrokerContext } from '../context.ts'

/** `broker.rack`, or null when it is not set. */
export function rackOf({ config }: BrokerContext): string | null {
  const rack = brokerValue(config, 'broker.rack')
  return typeof rack === 'string' ? rack : null
}
