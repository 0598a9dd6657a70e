/** Where two answers differ, by path, and what is wanted of that. */
import type { Case } from './case.ts'
import { labelOf, type Normal } from './normal.ts'

/** One place in which the answers to a case differ. */
export interface Difference {
  readonly api: string
  readonly version: number
  readonly scenario: string
  /** Such as `topics[orders].partitions[0].errorCode`. */
  readonly path: string
  /** The two values as JSON. */
  readonly kafka: string
  readonly ours: string
}

/** A difference that we want. What is left out fits everything. */
export interface Wanted {
  readonly api: RegExp
  readonly scenario?: RegExp
  readonly path?: RegExp
  readonly kafka?: string
  readonly ours?: string
  readonly why: string
  /** Whether it shows depends on how long a run takes. */
  readonly sometimes?: boolean
}

export function differencesOf(one: Case, kafka: Normal, ours: Normal): Difference[] {
  const { api, version, scenario } = one
  return [...walk('', kafka, ours)].map((found) => ({
    api: api.name,
    version,
    scenario,
    path: found.path,
    kafka: JSON.stringify(found.kafka) ?? 'absent',
    ours: JSON.stringify(found.ours) ?? 'absent',
  }))
}

export function isWanted(difference: Difference, wanted: Wanted): boolean {
  return (
    wanted.api.test(difference.api) &&
    (wanted.scenario?.test(difference.scenario) ?? true) &&
    (wanted.path?.test(difference.path) ?? true) &&
    (wanted.kafka === undefined || wanted.kafka === difference.kafka) &&
    (wanted.ours === undefined || wanted.ours === difference.ours)
  )
}

type Found = { path: string; kafka: Normal | undefined; ours: Normal | undefined }

function* walk(
  path: string,
  kafka: Normal | undefined,
  ours: Normal | undefined,
): Generator<Found> {
  if (Array.isArray(kafka) && Array.isArray(ours)) {
    const left = labelled(kafka)
    const right = labelled(ours)
    for (const label of new Set([...left.keys(), ...right.keys()])) {
      yield* walk(`${path}[${label}]`, left.get(label), right.get(label))
    }
  } else if (isStruct(kafka) && isStruct(ours)) {
    for (const name of new Set([...Object.keys(kafka), ...Object.keys(ours)])) {
      yield* walk(path === '' ? name : `${path}.${name}`, kafka[name], ours[name])
    }
  } else if (kafka !== ours) {
    yield { path, kafka, ours }
  }
}

function isStruct(value: Normal | undefined): value is { [name: string]: Normal } {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** Elements by what they are called, or by their place when nothing names them. */
function labelled(elements: readonly Normal[]): Map<string, Normal> {
  const byLabel = new Map<string, Normal>()
  for (const [place, element] of elements.entries()) {
    const label = labelOf(element) ?? String(place)
    byLabel.set(byLabel.has(label) ? `${label} again ${place}` : label, element)
  }
  return byLabel
}
