/** What a client may do with a resource, as brokers tell it: a set of bits. */

/** By bit: the codes of Kafka's AclOperation. 0, 1 and 2 (unknown, any, all) are never told. */
const operations = [
  '',
  '',
  '',
  'read',
  'write',
  'create',
  'delete',
  'alter',
  'describe',
  'clusterAction',
  'describeConfigs',
  'alterConfigs',
  'idempotentWrite',
  'createTokens',
  'describeTokens',
  'twoPhaseCommit',
] as const

/** Something that an ACL allows or forbids. */
export type AclOperation = Exclude<(typeof operations)[number], ''>

/** What a broker says when it was not asked. */
const NOT_ASKED = -2147483648

/** The operations of a set; undefined: nobody asked. Later brokers' operations are passed over.
 *  KIP-430. */
export function operationsOf(bits: number): readonly AclOperation[] | undefined {
  if (bits === NOT_ASKED) return undefined
  return operations.filter((name, code): name is AclOperation => {
    return name !== '' && (bits & (1 << code)) !== 0
  })
}
