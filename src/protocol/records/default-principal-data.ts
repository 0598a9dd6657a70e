import { bool, defineMessage, type MessageOf, string } from '../schema.ts'

/** DefaultPrincipalData. */
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
