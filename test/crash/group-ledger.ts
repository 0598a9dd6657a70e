/**
 * What a group was promised, checked from outside: nothing here knows the coordinator, only what
 * its members were told and what they read.
 */

/** Lives with one group. Rules that were broken are collected, since members run side by side. */
export class GroupLedger {
  readonly group: string
  readonly broken: string[] = []
  /** Offsets that somebody tried to commit, by partition. */
  readonly #tried = new Map<number, Set<number>>()
  /** The greatest offset whose commit was acknowledged, by partition. */
  readonly #acknowledged = new Map<number, number>()
  /** Who was given it, by generation and partition. */
  readonly #owners = new Map<string, string>()

  constructor(group: string) {
    this.group = group
  }

  /** What a commit of the partition holds at least from now on; -1: nothing was acknowledged. */
  acknowledgedOf(partition: number): number {
    return this.#acknowledged.get(partition) ?? -1
  }

  /** A commit is about to be sent. */
  tries(partition: number, offset: number): void {
    const tried = this.#tried.get(partition) ?? new Set()
    this.#tried.set(partition, tried.add(offset))
  }

  /** The broker said that the commit holds. Owners begin where the last one has committed, so that
   *  a commit that goes back is one of somebody who is no owner any more. */
  acknowledged(partition: number, offset: number, member: string): void {
    const before = this.acknowledgedOf(partition)
    if (offset < before) {
      this.#break(`${member} could commit ${offset} of ${partition} behind ${before}`)
    }
    this.#acknowledged.set(partition, Math.max(before, offset))
  }

  /** A member was told what it has in this generation, or epoch. */
  owns(generation: number, partitions: Iterable<number>, member: string): void {
    for (const partition of partitions) {
      const key = `${generation}/${partition}`
      const owner = this.#owners.get(key)
      if (owner !== undefined && owner !== member) {
        this.#break(`generation ${generation} gives ${partition} to ${owner} and ${member}`)
      }
      this.#owners.set(key, member)
    }
  }

  /** The broker says that this is committed; -1: nothing is. `known`: acknowledgedOf, before it was
   *  asked. */
  holds(partition: number, committed: number, known: number): void {
    if (committed < known) {
      this.#break(`${partition} has the commit ${committed} after ${known} was acknowledged`)
    }
    const isMadeUp = committed > 0 && !this.#tried.get(partition)?.has(committed)
    if (isMadeUp) this.#break(`${partition} has the commit ${committed}, which nobody sent`)
  }

  /** Records come in order and without a gap. `expected`: behind the last one that was read. */
  reads(partition: number, offset: number, expected: number, member: string): void {
    if (offset === expected) return
    this.#break(`${member} read ${offset} of ${partition} instead of ${expected}`)
  }

  #break(what: string): void {
    this.broken.push(`${this.group}: ${what}`)
  }
}
