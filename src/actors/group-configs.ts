/** What the settings of groups are on one thread. */
import type { ClusterImage } from '../cluster/image.ts'
import { effectiveGroup, groupDefaults } from '../config/effective.ts'
import type { GroupConfig } from '../config/group.ts'

/** Effective group configurations; those without own settings share one object. */
export function groupConfigsOf(image: ClusterImage): (groupId: string) => GroupConfig {
  let broker = image.brokerConfig
  let defaults = groupDefaults(broker)
  return (groupId) => {
    if (broker !== image.brokerConfig) {
      broker = image.brokerConfig
      defaults = groupDefaults(broker)
    }
    const own = image.groupConfigs.get(groupId)
    return own === undefined ? defaults : effectiveGroup(own, defaults)
  }
}
