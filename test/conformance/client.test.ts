/** The promises of producer and admin client. */
import { holdAgainstAll } from './client-subjects.ts'
import { clientCases } from './client-suite.ts'

holdAgainstAll(clientCases)
