/**
 * The scenarios of groups with one client. `checks.js FEATURES COMMAND... BOOTSTRAP`
 * FEATURES: what the client can, separated by commas: pause, seek, async (commits), static, or
 * static-killed where it leaves when it is closed, cooperative, regex, or regex-once where it looks
 * for topics only at the start; hang, where closing it does not always end. COMMAND starts a
 * member.
 */
import { killMembers, Member } from './member.ts'
import {
  alone,
  append,
  cooperative,
  pattern,
  staticRestart,
  takeover,
  type World,
} from './scenarios.ts'

const can: ReadonlySet<string> = new Set(process.argv[2]!.split(','))
const argv = process.argv.slice(3, -1)
const bootstrap = process.argv.at(-1)!

const world: World = {
  join: (name, settings) =>
    new Member(name, { argv, bootstrap, mayHang: can.has('hang') }, settings),
  produce: (topic, count) => append(bootstrap, topic, count),
  check: async (name, body) => {
    let detail = ''
    try {
      await body()
    } catch (error) {
      detail = String(error).slice(0, 1500)
    }
    console.log(JSON.stringify({ check: name, ok: detail === '', detail }))
    return detail === ''
  },
}

async function others(): Promise<void> {
  await alone(world, can)
  if (can.has('static') || can.has('static-killed')) await staticRestart(world, can.has('static'))
  if (can.has('cooperative')) await cooperative(world)
  if (can.has('regex') || can.has('regex-once')) await pattern(world, can.has('regex'))
}

// A takeover mostly waits for the session to end.
try {
  await Promise.all([takeover(world), others()])
} finally {
  killMembers()
}
