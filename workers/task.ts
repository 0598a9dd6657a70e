/** Entry of the threads that do finite work on segment files. */
import { runTask } from '../src/broker/task.ts'

export default runTask
