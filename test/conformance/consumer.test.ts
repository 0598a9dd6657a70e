/** The promises of the consumer. */
import { holdAgainstAll } from './client-subjects.ts'
import { consumerCases, withConsumers } from './consumer-suite.ts'

holdAgainstAll(consumerCases.map(withConsumers))
