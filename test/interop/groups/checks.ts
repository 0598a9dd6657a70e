/**
 * The scenarios of groups with one client. `checks.js FEATURES COMMAND... BOOTSTRAP`
 * FEATURES: what the client can, separated by commas, or 'none'; COMMAND starts a member.
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

const features = process.argv[2]!.split(',')
const argv = process.argv.slice(3, -1)
const bootstrap = process.argv.at(-1)!

const world: World = {
  join: (name, settings) => new Member(name, argv, bootstrap, settings),
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
  const commits = features.includes('async') ? ['commit', 'commit-async'] : ['commit']
  await alone(world, commits)
  if (features.includes('static')) await staticRestart(world)
  if (features.includes('cooperative')) await cooperative(world)
  if (features.includes('regex')) await pattern(world)
}

// A takeover mostly waits for the session to end.
try {
  await Promise.all([takeover(world), others()])
} finally {
  killMembers()
}
