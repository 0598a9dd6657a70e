/** One client does one job, which is given as JSON; prints its figures as JSON. */
import { confluent } from './confluent.ts'
import { type Contender, type Figures, type Job, startClock, timed } from './job.ts'
import { kafkajs, kafkajsByMessage } from './kafkajs.ts'
import { odradek, odradekByBatch } from './odradek.ts'
import { platformatic } from './platformatic.ts'

const contenders: Readonly<Record<string, Contender>> = {
  odradek,
  'odradek-batch': odradekByBatch,
  platformatic,
  confluent,
  kafkajs,
  'kafkajs-message': kafkajsByMessage,
}

const job = JSON.parse(process.argv[2] ?? '') as Job
const contender = contenders[job.client]
if (contender === undefined) throw new Error(`there is no client ${job.client}`)
const figures = await (job.role === 'produce' ? produce(contender) : consume(contender))
console.log(JSON.stringify(figures))
process.exit()

async function produce(contender: Contender): Promise<Figures> {
  const sending = await contender.produce(job)
  await sending.send(job.warmUp)
  const figures = await timed(() => sending.send(job.records))
  await sending.close()
  return figures
}

/** The clock starts after the warm-up, so that joining a group is not part of it. */
async function consume(contender: Contender): Promise<Figures> {
  let count = 0
  let stop: (() => Figures) | undefined
  let startedAt = 0
  let figures: Figures | undefined
  await contender.consume(job, (records) => {
    count += records
    if (stop === undefined && count >= job.warmUp) {
      stop = startClock()
      startedAt = count
    }
    if (count < job.warmUp + job.records) return false
    figures ??= stop?.()
    return true
  })
  if (figures === undefined) throw new Error(`only ${count} records came`)
  // As if exactly so many had been measured.
  const share = job.records / (count - startedAt)
  return { seconds: figures.seconds * share, cpuSeconds: figures.cpuSeconds * share }
}
