/** All requests of the differential test, in the order in which they are sent. */
import { adminCases } from './admin-cases.ts'
import type { Case } from './case.ts'
import { autoCreationCases, clusterCases, coordinatorCases } from './cluster-cases.ts'
import { configCases } from './config-cases.ts'
import { fetchCases } from './fetch-cases.ts'
import { groupCases } from './group-cases.ts'
import { offsetCases, producerIdCases } from './offset-cases.ts'
import { produceCases } from './produce-cases.ts'
import { shareCases } from './share-cases.ts'
import { spoiledCases } from './spoiled-cases.ts'
import { streamsCases } from './streams-cases.ts'
import { worldCases } from './world.ts'

/** Builds the list; it is the same in every run but for the time of the records. */
export function allCases(): Case[] {
  const cases = [
    ...worldCases(),
    ...clusterCases(),
    ...produceCases(),
    ...fetchCases(),
    ...offsetCases(),
    ...adminCases(),
    ...configCases(),
    ...autoCreationCases(),
    ...producerIdCases(),
    ...coordinatorCases(),
    ...groupCases(),
    ...shareCases(),
    ...streamsCases(),
  ]
  return [...cases, ...spoiledCases([...new Set(cases.map(({ api }) => api))])]
}
