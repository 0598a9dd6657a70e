/**
 * Which connections speak for which members: those that carried a request to join or a heartbeat.
 * A client may use several for one member, and one that closes an idle connection is not gone; so
 * a member is lost when the last of its connections is. Only for the profile dev.
 */
import type { MemberPlace } from './consumer-fence.ts'

/**
 * Members that one connection is known to speak for (profile dev). Of more, the one silent for
 * longest is forgotten and leaves by its session.
 */
const MEMBERS_PER_CONNECTION_MAX = 1000

/** A connection that has spoken for members. */
export interface MemberConnection {
  /** The place where it stands: `thread:number`. */
  readonly name: string
  /** By whom it was closed. */
  closed: 'client' | 'broker' | undefined
  /** The one that spoke last is the last. */
  readonly members: Map<string, MemberPlace>
}

/** Lives on the coordinator's thread; holds what is open. */
export class MemberConnections {
  readonly #open = new Map<string, MemberConnection>()
  /** The open connections of a member. */
  readonly #ofMember = new Map<string, Set<MemberConnection>>()

  /** The connection of that name, which is open. */
  of(name: string): MemberConnection {
    let connection = this.#open.get(name)
    if (connection === undefined) {
      connection = { name, closed: undefined, members: new Map() }
      this.#open.set(name, connection)
    }
    return connection
  }

  /** The connection, which is open, spoke for a member. */
  note(connection: MemberConnection, place: MemberPlace): void {
    const { members } = connection
    const key = keyOf(place)
    members.delete(key)
    members.set(key, place)
    let connections = this.#ofMember.get(key)
    if (connections === undefined) {
      connections = new Set()
      this.#ofMember.set(key, connections)
    }
    connections.add(connection)
    const [oldest] = members
    if (members.size > MEMBERS_PER_CONNECTION_MAX && oldest) this.#part(connection, oldest[1])
  }

  /** Whether an open connection speaks for a member. */
  has(place: MemberPlace): boolean {
    return this.#ofMember.has(keyOf(place))
  }

  /** A connection was closed; answers the members for which no other one is open. */
  close(name: string, by: 'client' | 'broker'): MemberPlace[] {
    const connection = this.#open.get(name)
    if (connection === undefined) return []
    this.#open.delete(name)
    connection.closed = by
    const left: MemberPlace[] = []
    for (const place of [...connection.members.values()]) {
      this.#part(connection, place)
      if (!this.has(place)) left.push(place)
    }
    return left
  }

  /** A thread died with its connections. */
  closeThread(thread: number): void {
    for (const name of [...this.#open.keys()]) {
      if (name.startsWith(`${thread}:`)) this.close(name, 'broker')
    }
  }

  #part(connection: MemberConnection, place: MemberPlace): void {
    const key = keyOf(place)
    connection.members.delete(key)
    const connections = this.#ofMember.get(key)
    connections?.delete(connection)
    if (connections?.size === 0) this.#ofMember.delete(key)
  }
}

/** Ids may hold any character, so the length keeps them apart. */
function keyOf({ groupId, memberId }: MemberPlace): string {
  return `${groupId.length}:${groupId}:${memberId}`
}
