// Writes the source of an encoder: one function per struct and per array.

import { methodName } from './compile-reader.ts'
import { type PlannedField, planOf } from './plan.ts'
import type { Field, Fields, Message } from './schema.ts'
import { UnsupportedFieldVersion, type Writer } from './writer.ts'

/** Writes one message; throws UnsupportedFieldVersion when the version cannot carry a value. */
export type Encode = (writer: Writer, value: unknown) => void

const EMPTY = Buffer.alloc(0)

/** Compiles the encoder of one version. */
export function compileEncoder(message: Message, version: number): Encode {
  const source = new EncoderSource(version, version >= message.flexibleFrom)
  const root = source.struct(message.fields)
  const text = `'use strict'\n${source.functions.join('\n')}\nreturn ${root}`
  const refuse = (name: string): never => {
    throw new UnsupportedFieldVersion(`${message.name} version ${version} cannot carry ${name}`)
  }
  return new Function('EMPTY', 'refuse', text)(EMPTY, refuse) as Encode
}

class EncoderSource {
  readonly functions: string[] = []
  readonly #version: number
  readonly #flexible: boolean
  #names = 0

  constructor(version: number, flexible: boolean) {
    this.#version = version
    this.#flexible = flexible
  }

  /** Adds a function (w, v) that writes a struct and answers its name. */
  struct(fields: Fields): string {
    const plan = planOf(fields, this.#version)
    const lines: string[] = []
    for (const planned of plan.all) if (!planned.present) lines.push(this.#absent(planned))
    for (const planned of plan.plain) lines.push(this.#plain(planned))
    if (this.#flexible) lines.push(...this.#tags(plan.tagged))
    return this.#function('w, v', lines)
  }

  /** A field that this version lacks: only its default or an ignorable value may be set. */
  #absent({ name, field }: PlannedField): string {
    if (field.isIgnorable) return ''
    const x = `v.${name}`
    return `if (${x} !== undefined && !(${this.#isDefault(field, x)})) refuse('${name}')`
  }

  #plain(planned: PlannedField): string {
    const { name, field, nullable } = planned
    return [
      `let $${name} = v.${name}`,
      `if ($${name} === undefined) $${name} = ${defaultOf(field, nullable)}`,
      this.#nullGuard(planned),
      this.#write(field, nullable, `$${name}`),
    ].join('\n')
  }

  #tags(tagged: readonly PlannedField[]): string[] {
    if (tagged.length === 0) return ['w.uvarint(0)']
    const lines = ['let tags = 0']
    for (const { name, field } of tagged) {
      const x = `$${name}`
      lines.push(
        `const ${x} = v.${name}`,
        `const has${x} = ${x} !== undefined && !(${this.#isDefault(field, x)})`,
        `if (has${x}) tags++`,
      )
    }
    lines.push('w.uvarint(tags)')
    for (const planned of tagged) lines.push(this.#tag(planned))
    return lines
  }

  #tag(planned: PlannedField): string {
    const { name, field, nullable } = planned
    const x = `$${name}`
    // Kafka marks a nullable struct with an int8, but inside a tagged field with a varint.
    const write =
      field.kind === 'struct' && nullable
        ? `if (${x} === null) w.uvarint(0)
           else { w.uvarint(1); ${this.struct(field.fields ?? {})}(w, ${x}) }`
        : this.#write(field, nullable, x)
    return `if (has${x}) {
      ${this.#nullGuard(planned)}
      const sizeAt = w.beginTag(${field.tagNumber})
      ${write}
      w.endTag(sizeAt)
    }`
  }

  #nullGuard({ name, field, nullable }: PlannedField): string {
    if (nullable || field.nullableSince === Infinity) return ''
    return `if ($${name} === null) refuse('${name}')`
  }

  /** A statement that writes the value of expression `x`. */
  #write(field: Field, nullable: boolean, x: string): string {
    switch (field.kind) {
      case 'string':
        return `w.${methodName('string', this.#flexible, nullable)}(${x})`
      case 'bytes':
      case 'records':
        return `w.${methodName('bytes', this.#flexible, nullable)}(${x})`
      case 'array':
        return `${this.#array(field.element as Field, nullable)}(w, ${x})`
      case 'struct': {
        const write = `${this.struct(field.fields ?? {})}(w, ${x})`
        return nullable ? `if (${x} === null) w.int8(-1)\nelse { w.int8(1); ${write} }` : write
      }
      default:
        return `w.${field.kind}(${x})`
    }
  }

  #array(element: Field, nullable: boolean): string {
    const flexible = this.#flexible
    const none = flexible ? 'w.uvarint(0)' : 'w.int32(-1)'
    return this.#function('w, values', [
      nullable ? `if (values === null) { ${none}; return }` : '',
      'const count = values.length',
      flexible ? 'w.uvarint(count + 1)' : 'w.int32(count)',
      'for (let i = 0; i < count; i++) {',
      this.#write(element, this.#version >= element.nullableSince, 'values[i]'),
      '}',
    ])
  }

  /** An expression: whether `x`, which is not undefined, equals the default of the field. */
  #isDefault(field: Field, x: string): string {
    if (field.defaultValue === null) return `${x} === null`
    switch (field.kind) {
      case 'bytes':
      case 'records':
      case 'array':
        return `${x} !== null && ${x}.length === 0`
      case 'struct':
        return `${x} !== null && ${this.#isDefaultStruct(field.fields ?? {})}(${x})`
      default:
        return `${x} === ${JSON.stringify(field.defaultValue)}`
    }
  }

  #isDefaultStruct(fields: Fields): string {
    const checks = Object.entries(fields).map(
      ([name, field]) => `(v.${name} === undefined || ${this.#isDefault(field, `v.${name}`)})`,
    )
    return this.#function('v', [`return ${checks.join(' && ') || 'true'}`])
  }

  #function(parameters: string, lines: readonly string[]): string {
    const name = `part${this.#names++}`
    const body = lines.filter((line) => line !== '').join('\n')
    this.functions.push(`function ${name}(${parameters}) {\n${body}\n}`)
    return name
  }
}

/** An expression for the value of a field that was left out. */
function defaultOf(field: Field, nullable: boolean): string {
  const value = field.defaultValue
  if (value === null && nullable) return 'null'
  switch (field.kind) {
    case 'bytes':
    case 'records':
      return 'EMPTY'
    case 'array':
      return '[]'
    case 'struct':
      return '{}'
    case 'string':
      return JSON.stringify(value ?? '')
    default:
      return JSON.stringify(value)
  }
}
