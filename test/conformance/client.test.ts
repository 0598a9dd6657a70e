/** The promises of producer and admin client. */
import { adminGroupCases } from './admin-groups-suite.ts'
import { holdAgainstAll } from './client-subjects.ts'
import { clientCases } from './client-suite.ts'
import { transactionCases } from './transactions-suite.ts'

holdAgainstAll([...clientCases, ...adminGroupCases, ...transactionCases])
