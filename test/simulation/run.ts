/** `npm run simulate -- --seed 7 --minutes 2`: seeds one after the other until the time is over. */
import { parseArgs } from 'node:util'
import { simulate } from './simulate.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    minutes: { type: 'string', default: '1' },
    steps: { type: 'string', default: '20000' },
  },
})

const endMs = Date.now() + Number(values.minutes) * 60_000
let seed = Number(values.seed)
let runs = 0
let acknowledged = 0
let crashes = 0
try {
  do {
    const outcome = await simulate({ seed, steps: Number(values.steps) })
    acknowledged += outcome.acknowledged
    crashes += outcome.crashes
    runs++
    seed++
  } while (Date.now() < endMs)
  console.log(
    `${runs} runs up to seed ${seed - 1}: ${acknowledged} records acknowledged over ${crashes} crashes, every promise kept`,
  )
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
