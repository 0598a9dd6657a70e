/** The same promises where the cluster has transactions as they were before version 2: partitions
 *  are announced, and epochs outlast transactions. KIP-98. */
import { ClientConnection } from '../../src/client/connection.ts'
import { holdAgainstAll } from './client-subjects.ts'
import { transactionCases } from './transactions-suite.ts'

// Our broker always has version 2, and serves older clients, which do not look at it.
ClientConnection.prototype.featureLevel = () => 0

holdAgainstAll(transactionCases)
