import { bool, defineMessage, type MessageOf, string } from '../schema.ts'

/** A principal as brokers forward it to controllers. An int16 version stands before it.
 *  KIP-590. */
export const DefaultPrincipalData = defineMessage({
  name: 'DefaultPrincipalData',
  versions: [0, 0],
  flexibleFrom: 0,
  fields: {
    type: string(),
    name: string(),
    tokenAuthenticated: bool(),
  },
})
/** Decoded. */
export type DefaultPrincipalData = MessageOf<typeof DefaultPrincipalData>
