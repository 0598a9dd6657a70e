/** What settings of clients promise. */
import { holdAgainstAll } from './client-subjects.ts'
import { withConsumers } from './consumer-suite.ts'
import { settingsCases } from './settings-suite.ts'

holdAgainstAll(settingsCases.map(withConsumers))
