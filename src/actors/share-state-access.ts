/** The share coordinator as groups see it: it waits until its topic is there and loaded. */
import type { ShareStateAccess } from '../coordinator/group/share-states.ts'
import type { SharePartitions } from '../coordinator/share/share-partitions.ts'
import type { ShareStateService } from '../coordinator/share/state-service.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { CoordinatorTopic } from './coordinator-topic.ts'

/** What a start offset or a deletion concerns is forgotten by those who deliver records. */
export function shareStateAccess(
  topic: CoordinatorTopic,
  states: ShareStateService,
  partitions: SharePartitions,
): ShareStateAccess {
  return {
    initialize(groupId, to, done) {
      topic.ready((problem) => {
        if (problem !== ErrorCode.NONE) {
          done(problem)
          return
        }
        states.initialize(groupId, to, (errorCode) => {
          if (!to.onlyNew)
            for (const start of to.starts) partitions.forgetOne(keyOf(groupId, start))
          done(errorCode)
        })
      })
    },
    delete(groupId, places, done) {
      topic.ready((problem) => {
        if (problem !== ErrorCode.NONE) {
          done(problem)
          return
        }
        states.delete(groupId, places, (errorCode) => {
          for (const place of places) partitions.forgetOne(keyOf(groupId, place))
          done(errorCode)
        })
      })
    },
    progress(groupId, places, done) {
      if (places.length === 0) done([])
      else topic.ready(() => done(states.progress(groupId, places)))
    },
  }
}

function keyOf(groupId: string, { topicId, partition }: { topicId: string; partition: number }) {
  return { groupId, topicId, partition }
}
