/**
 * Commits: without waiting while all goes well, since the next commit makes up for one that failed;
 * and with waiting where there is no next one, before partitions go to another member. Here a second
 * member joins while the first is at work, and later the first one leaves: each job is done once,
 * although partitions have moved twice.
 */
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { Broker, Consumer, Producer } from 'odradek'

const TOPIC = 'jobs'
const PARTITIONS = 4

const broker = await Broker.start({
  storage: 'memory',
  topics: [{ topic: TOPIC, numPartitions: PARTITIONS }],
})
const producer = new Producer({ port: broker.connect() })
const progress = new EventEmitter()
/** Who did each job; more than one name, if it was done more than once. */
const done = new Map()

let sent = 0

// Jobs come in all the time, while a second member joins and while the first one leaves.
const first = startMember('first')
while (first.partitions.length < PARTITIONS) await sendJobs()
const second = startMember('second')
while (second.partitions.length === 0) await sendJobs()
let firstIsGone = false
const stopped = first.stop().then(() => {
  firstIsGone = true
})
while (!firstIsGone || second.partitions.length < PARTITIONS) await sendJobs()
await stopped
while (done.size < sent) await once(progress, 'job')
await second.stop()

for (const [job, names] of done) assert.equal(names.length, 1, `job ${job} by ${names}`)
const jobsOf = (name) => [...done.values()].filter((names) => names.includes(name)).length
console.log(`first did ${jobsOf('first')} jobs and second did ${jobsOf('second')}, none twice`)
let committed = 0
for (const { offset } of await broker.admin.listGroupOffsets('workers')) committed += offset
assert.equal(committed, sent)
await producer.close()
await broker.stop()

/** Starts one member of the group. In earnest each is a process of its own. */
function startMember(name) {
  /** By partition: the offset behind the last job that is done. Only this is ever committed. */
  const next = new Map()
  const offsets = () =>
    [...next].map(([partition, offset]) => ({ topic: TOPIC, partition, offset }))
  const stopping = new AbortController()
  const { signal } = stopping
  const consumer = new Consumer({
    port: broker.connect(),
    groupId: 'workers',
    autoOffsetReset: 'earliest',
    enableAutoCommit: false,
    heartbeatIntervalMs: 100, // So that a member soon hears that another one joins.
  })

  async function work() {
    await consumer.subscribe([TOPIC], {
      // The last word before another member begins where this commit says. Also called by close().
      async onPartitionsRevoked(partitions) {
        await consumer.commit(offsets())
        for (const { partition } of partitions) next.delete(partition)
      },
      // Too late: others have them already, and a commit would be refused.
      onPartitionsLost(partitions) {
        for (const { partition } of partitions) next.delete(partition)
      },
    })
    try {
      for (;;) {
        for (const job of await consumer.poll({ timeoutMs: 1000, maxRecords: 20, signal })) {
          doJob(name, String(job.value))
          next.set(job.partition, job.offset + 1)
        }
        consumer.commitAsync(offsets(), (error) => {
          if (error !== null) console.log(`${name}: ${error.message} The next commit will do.`)
        })
      }
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      await consumer.close()
    }
  }

  const working = work()
  return {
    get partitions() {
      return consumer.assignment()
    },
    stop() {
      stopping.abort()
      return working
    },
  }
}

function doJob(name, job) {
  done.set(job, [...(done.get(job) ?? []), name])
  progress.emit('job')
}

async function sendJobs() {
  const messages = Array.from({ length: 8 }, () => ({
    value: String(sent),
    partition: sent++ % PARTITIONS,
  }))
  await producer.send({ topic: TOPIC, messages })
}
