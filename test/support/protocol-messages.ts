// Every message that we can encode, under the name and kind by which fact tables know it.

import { apis } from '../../src/protocol/apis/index.ts'
import { consumerOffsetsRecords } from '../../src/protocol/records/consumer-offsets.ts'
import { ConsumerProtocolAssignment } from '../../src/protocol/records/consumer-protocol-assignment.ts'
import { ConsumerProtocolSubscription } from '../../src/protocol/records/consumer-protocol-subscription.ts'
import * as control from '../../src/protocol/records/control.ts'
import { DefaultPrincipalData } from '../../src/protocol/records/default-principal-data.ts'
import { shareGroupStateRecords } from '../../src/protocol/records/share-group-state.ts'
import { transactionStateRecords } from '../../src/protocol/records/transaction-state.ts'
import type { Message } from '../../src/protocol/schema.ts'

/** A message and how to find it in a fact table. */
export type NamedMessage = {
  readonly name: string
  readonly kind: 'request' | 'response' | 'key' | 'value' | 'data'
  readonly apiKey?: number
  readonly message: Message
}

/** All messages of the room `protocol`. */
export const allMessages: readonly NamedMessage[] = [...apiMessages(), ...recordMessages()]

/** Each message with each of its versions. */
export const allVersions: readonly (NamedMessage & { readonly version: number })[] =
  allMessages.flatMap((named) => {
    const [lowest, highest] = named.message.versions
    const count = highest - lowest + 1
    return Array.from({ length: count }, (_, i) => ({ ...named, version: lowest + i }))
  })

function apiMessages(): NamedMessage[] {
  return [...apis.values()].flatMap((api): NamedMessage[] => [
    { name: api.name, kind: 'request', apiKey: api.key, message: api.request },
    { name: api.name, kind: 'response', apiKey: api.key, message: api.response },
  ])
}

function recordMessages(): NamedMessage[] {
  const tables = [consumerOffsetsRecords, transactionStateRecords, shareGroupStateRecords]
  const records = tables.flatMap((table) => [...table.values()])
  const embedded = [ConsumerProtocolAssignment, ConsumerProtocolSubscription, DefaultPrincipalData]
  const messages = Object.values(control).filter(
    (value): value is typeof value & { fields: object } => typeof value === 'object',
  )
  return [
    ...records.map(({ key }): NamedMessage => ({ name: key.name, kind: 'key', message: key })),
    ...records.map(
      ({ value }): NamedMessage => ({ name: value.name, kind: 'value', message: value }),
    ),
    ...[...embedded, ...messages].map(
      (message): NamedMessage => ({ name: message.name, kind: 'data', message }),
    ),
  ]
}
