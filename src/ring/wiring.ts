/**
 * What the supervisor makes and hands to each thread, so that every ordered pair has a ring and
 * every pair a port. A wiring goes into workerData, its ports into transferList.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { assert } from '../base/assert.ts'
import { allocateParked } from './doorbell.ts'
import { allocateRing, frameBytes } from './layout.ts'

/** Limits of the talk between two threads.
 *  `ringBytes`: capacity of each ring, a power of two. `creditsMax`: requests that one thread may
 *  have unanswered at another. `inlineBytesMax`: longer payloads travel by reference. */
export type BusLimits = {
  readonly ringBytes: number
  readonly creditsMax: number
  readonly inlineBytesMax: number
}

/** One end of the connection of two threads. `incarnation` says how often the pair was wired
 *  before. `parked` is the flag of the peer. */
export type LinkWiring = {
  readonly peer: number
  readonly incarnation: number
  readonly outgoing: SharedArrayBuffer
  readonly incoming: SharedArrayBuffer
  readonly port: MessagePort
  readonly parked: SharedArrayBuffer
}

/** All that one thread needs to talk. `links` has no entry for the thread itself. */
export type ThreadWiring = {
  readonly thread: number
  readonly parked: SharedArrayBuffer
  readonly links: readonly LinkWiring[]
  readonly limits: BusLimits
}

/** The default of every limit. */
export const BUS_LIMITS: BusLimits = { ringBytes: 256 * 1024, creditsMax: 256, inlineBytesMax: 512 }

/** Requests that a correlation can tell apart: the most that creditsMax may be. */
export const CREDITS_LIMIT = 4096

/** Wires `count` threads, each with each other. */
export function wireThreads(count: number, options: Partial<BusLimits> = {}): ThreadWiring[] {
  const limits = { ...BUS_LIMITS, ...options }
  assertLimits(limits)
  const parked = Array.from({ length: count }, allocateParked)
  const links = Array.from({ length: count }, (): LinkWiring[] => [])
  for (let one = 0; one < count; one++) {
    for (let two = one + 1; two < count; two++) {
      const ends = wirePair({ one, two, incarnation: 0, limits, parked })
      links[one]?.push(ends.one)
      links[two]?.push(ends.two)
    }
  }
  return parked.map((flag, thread) => ({
    thread,
    parked: flag,
    links: links[thread] as LinkWiring[],
    limits,
  }))
}

/** Wires `thread` anew after it died. `wirings`: the latest wiring of every thread, in order; the
 *  new one takes its place there. `links`: what each other thread passes to ThreadBus.rewire. The
 *  dead thread's parked flag is replaced: a peer that has not heard of the death yet must not clear
 *  the flag of its successor. */
export function rewireThread(
  wirings: ThreadWiring[],
  thread: number,
): { wiring: ThreadWiring; links: Map<number, LinkWiring> } {
  const old = wirings[thread]
  assert(old !== undefined, 'only a thread that was wired is wired again')
  const parked = wirings.map((wiring) => wiring.parked)
  parked[thread] = allocateParked()
  const links = new Map<number, LinkWiring>()
  const own = old.links.map(({ peer, incarnation }) => {
    const ends = wirePair({
      one: thread,
      two: peer,
      incarnation: incarnation + 1,
      limits: old.limits,
      parked,
    })
    links.set(peer, ends.two)
    replaceLink(wirings, peer, ends.two)
    return ends.one
  })
  const wiring = {
    thread,
    parked: parked[thread] as SharedArrayBuffer,
    links: own,
    limits: old.limits,
  }
  wirings[thread] = wiring
  return { wiring, links }
}

/** The ports of a wiring: they must be transferred, not copied. */
export function portsOf(wiring: ThreadWiring): MessagePort[] {
  return wiring.links.map((link) => link.port)
}

/** Bytes that requests and notices leave free in a ring, so that a reply always has room.
 *
 *  A requester counts a credit as used until it has read the reply and has freed its room (the bus
 *  gives credits back after the poll stored head). So of the replies to one peer, those that are
 *  unread in the ring and those still to come are together at most creditsMax. Look at any moment
 *  after a request, notice or release was written: it left this reserve free, reading only frees
 *  more, and what was written since are at most creditsMax unread replies, each of at most one
 *  frame of inlineBytesMax (a longer payload is a reference), plus at most one padding frame,
 *  shorter than such a frame, since padding is written only where the ring ends. That is the
 *  reserve: the next reply fits. */
export function replyReserve(limits: BusLimits): number {
  return (limits.creditsMax + 1) * frameBytes(limits.inlineBytesMax)
}

function assertLimits(limits: BusLimits): void {
  const frame = frameBytes(limits.inlineBytesMax)
  assert(limits.inlineBytesMax >= 64, 'a frame has room for references and releases')
  assert(limits.creditsMax >= 1, 'at least one request may be unanswered')
  assert(limits.creditsMax <= CREDITS_LIMIT, `at most ${CREDITS_LIMIT} requests are unanswered`)
  assert(frame * 8 <= limits.ringBytes, 'a frame takes at most an eighth of the ring')
  assert(
    replyReserve(limits) + 2 * frame <= limits.ringBytes,
    'a ring has room for all replies and a request',
  )
}

function wirePair(pair: {
  one: number
  two: number
  incarnation: number
  limits: BusLimits
  parked: readonly SharedArrayBuffer[]
}): { one: LinkWiring; two: LinkWiring } {
  const { one, two, incarnation, limits, parked } = pair
  const there = allocateRing(limits.ringBytes)
  const back = allocateRing(limits.ringBytes)
  const { port1, port2 } = new MessageChannel()
  return {
    one: {
      peer: two,
      incarnation,
      outgoing: there,
      incoming: back,
      port: port1,
      parked: parked[two] as SharedArrayBuffer,
    },
    two: {
      peer: one,
      incarnation,
      outgoing: back,
      incoming: there,
      port: port2,
      parked: parked[one] as SharedArrayBuffer,
    },
  }
}

function replaceLink(wirings: ThreadWiring[], thread: number, link: LinkWiring): void {
  const wiring = wirings[thread]
  assert(wiring !== undefined, 'every peer is wired')
  const links = wiring.links.map((old) => (old.peer === link.peer ? link : old))
  wirings[thread] = { ...wiring, links }
}
