/** Seeds that once broke a promise, and what it was. They always run. */
export const pastSeeds: readonly number[] = [
  // A reader asked before a deletion and was answered behind it: the checker was wrong.
  74,
  // An older segment lost its end with the power and a newer one did not: a hole.
  40,
  // Segments that the process before had written were never forced, though all before an ack has to
  // be.
  79,
]
