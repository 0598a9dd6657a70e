/** The promises of the consumer. */
import { holdAgainstAll } from './client-subjects.ts'
import { ConsumerWorld, consumerCases } from './consumer-suite.ts'

holdAgainstAll(
  consumerCases.map(({ title, run }) => ({
    title,
    async run(t, world) {
      const consumers = new ConsumerWorld(world)
      try {
        await run(t, consumers)
      } finally {
        await consumers.close()
      }
    },
  })),
)
