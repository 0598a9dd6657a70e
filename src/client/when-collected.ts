/** Clients that a program drops without closing them: their connections would stay open for ever,
 *  since Node holds an open socket or port whether anybody uses it or not. */

/** What goes on behind a client. */
export interface Closable {
  close(): unknown
}

const registry = new FinalizationRegistry<Closable>((behind) => void behind.close())

/** Closes `behind`, which may not hold `client`, when `client` has been collected. As long as it
 *  has records to send or somebody waits for it, it is in use. */
export function closeWhenCollected(client: object, behind: Closable): void {
  registry.register(client, behind, client)
}

/** `client` was closed: nothing is held for it any more. An error of the end may know who caused
 *  it, by the places of its stack, and would hold the client by what stood behind it. */
export function wasClosed(client: object): void {
  registry.unregister(client)
}
