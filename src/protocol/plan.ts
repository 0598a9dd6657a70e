// What one version of a message looks like on the wire: the step between schema and codec, and
// what describes our schemas to a comparer.

import type { Field, Fields } from './schema.ts'

/** A field in one version. */
export type PlannedField = {
  readonly name: string
  readonly field: Field
  /** Whether this version has it; if not, decoding gives the default. */
  readonly present: boolean
  readonly nullable: boolean
}

/** The fields of a struct in one version. */
export type Plan = {
  /** All fields of the definition, present or not, in its order. */
  readonly all: readonly PlannedField[]
  /** Present and not tagged, in wire order. */
  readonly plain: readonly PlannedField[]
  /** Present and tagged, ascending by tag. */
  readonly tagged: readonly PlannedField[]
}

/** Looks at `fields` with the eyes of `version`. */
export function planOf(fields: Fields, version: number): Plan {
  const all = Object.entries(fields).map(([name, field]) => ({
    name,
    field,
    present: version >= field.sinceVersion && version <= field.untilVersion,
    nullable: version >= field.nullableSince,
  }))
  const present = all.filter((planned) => planned.present)
  return {
    all,
    plain: present.filter((planned) => planned.field.tagNumber < 0),
    tagged: present
      .filter((planned) => planned.field.tagNumber >= 0)
      .sort((a, b) => a.field.tagNumber - b.field.tagNumber),
  }
}

/** The fewest bytes that a value of `field` takes; bounds the counts of arrays. */
export function sizeMinOf(field: Field, version: number, flexible: boolean): number {
  switch (field.kind) {
    case 'bool':
    case 'int8':
      return 1
    case 'int16':
    case 'uint16':
      return 2
    case 'int32':
      return 4
    case 'int64':
    case 'float64':
      return 8
    case 'uuid':
      return 16
    case 'string':
      return flexible ? 1 : 2
    case 'bytes':
    case 'records':
    case 'array':
      return flexible ? 1 : 4
    case 'struct': {
      if (version >= field.nullableSince) return 1
      let size = flexible ? 1 : 0
      for (const inner of planOf(field.fields ?? {}, version).plain) {
        size += sizeMinOf(inner.field, version, flexible)
      }
      return size
    }
  }
}
