/** Sends each case to both brokers, one after the other, and collects where they differ. */
import { UnsupportedFieldVersion } from '../../../src/protocol/writer.ts'
import type { Case } from './case.ts'
import { type Difference, differencesOf } from './compare.ts'
import { normalOutcome } from './normal.ts'
import type { Outcome, Side } from './side.ts'

/** What came of a run. */
export interface Report {
  /** Requests that both brokers got. */
  requests: number
  differences: Difference[]
}

/** `barrierTopic` exists on both and is nobody else's. */
export async function runCases(
  cases: readonly Case[],
  kafka: Side,
  ours: Side,
  barrierTopic: string,
): Promise<Report> {
  const report: Report = { requests: 0, differences: [] }
  const settle = () => Promise.all([kafka.barrier(barrierTopic), ours.barrier(barrierTopic)])
  for (const one of cases) {
    if (one.needsMetadata) await settle()
    let outcomes: [Outcome, Outcome]
    try {
      outcomes = await Promise.all([kafka.send(one), ours.send(one)])
    } catch (error) {
      // The version has no place for what the scenario is about.
      if (error instanceof UnsupportedFieldVersion) continue
      throw new Error(`${one.api.name} v${one.version}, ${one.scenario}: ${String(error)}`)
    }
    report.requests++
    const [left, right] = outcomes
    learn(one, kafka, left)
    learn(one, ours, right)
    if (one.changesMetadata) await settle()
    const normalLeft = normalOutcome(left, one, kafka)
    const normalRight = normalOutcome(right, one, ours)
    report.differences.push(...differencesOf(one, normalLeft, normalRight))
  }
  return report
}

function learn(one: Case, side: Side, outcome: Outcome): void {
  if (outcome.kind === 'answer') one.learn?.(side, outcome.answer as never)
}
