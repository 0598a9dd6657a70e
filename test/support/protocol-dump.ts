// Our schemas in a plain form: the fields of one version as they are on the wire. For comparing
// with other tables of the protocol.

import { planOf } from '../../src/protocol/plan.ts'
import type { Field, Fields } from '../../src/protocol/schema.ts'
import type { NamedMessage } from './protocol-messages.ts'

/** A field as it is on the wire. */
export type DumpedField = {
  name: string
  type: string
  nullable: boolean
  tag?: number
  fields?: DumpedField[]
}

/** One version of a message. */
export function dumpOf(named: NamedMessage, version: number): Record<string, unknown> {
  const { name, kind, apiKey, message } = named
  return {
    ...(apiKey === undefined ? { name } : { apiKey }),
    kind,
    version,
    flexible: version >= message.flexibleFrom,
    fields: dumpFields(message.fields, version),
  }
}

function dumpFields(fields: Fields, version: number): DumpedField[] {
  const { plain, tagged } = planOf(fields, version)
  return [...plain, ...tagged].map(({ name, field, nullable }) => {
    const isArray = field.kind === 'array'
    const item = isArray ? (field.element as Field) : field
    return {
      name,
      type: `${isArray ? '[]' : ''}${item.kind}`,
      nullable,
      ...(field.tagNumber < 0 ? {} : { tag: field.tagNumber }),
      ...(item.fields === undefined ? {} : { fields: dumpFields(item.fields, version) }),
    }
  })
}
