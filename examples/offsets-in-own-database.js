/**
 * Exactly once, with one's own database: what a record does and how far one has read are written in
 * one transaction, and after a restart `seek` goes to where the database says, whatever the group
 * has committed. This program proves it: a child process books transfers, is killed with SIGKILL at
 * random some twenty times, and in the end every transfer is booked once.
 *
 * The database is LMDB here (npm install lmdb); any one with transactions will do.
 */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { open } from 'lmdb'
import { Broker, Consumer, jsonSerde, Producer } from 'odradek'

const TOPIC = 'transfers'
const PARTITIONS = 2
const TRANSFERS = 4200
const KILLS = 20
const ACCOUNTS = 10

if (process.argv[2] === 'book') await book(process.argv[3], process.argv[4])
else await prove()

/** The child: books transfers until it is killed. */
async function book(bootstrapServers, databasePath) {
  process.once('disconnect', () => process.exit()) // Not without its parent.
  const { environment, balances, offsets } = openDatabase(databasePath)
  const consumer = new Consumer({
    bootstrapServers,
    groupId: 'bank',
    // A member with a name of its own gets its partitions back at once after a restart.
    groupInstanceId: 'bank-1',
    enableAutoCommit: false, // The database knows better.
    deserializers: { value: jsonSerde() },
  })
  await consumer.subscribe([TOPIC], {
    onPartitionsAssigned(partitions) {
      for (const { topic, partition } of partitions) {
        consumer.seek({ topic, partition, offset: offsets.get(partition) ?? 0 })
      }
    },
  })
  const add = (account, amount) => balances.put(account, (balances.get(account) ?? 0) + amount)
  for (;;) {
    const records = await consumer.poll({ timeoutMs: 1000, maxRecords: 20 })
    await environment.transaction(() => {
      for (const { partition, offset, value } of records) {
        add(value.from, -value.amount)
        add(value.to, value.amount)
        offsets.put(partition, offset + 1)
      }
    })
    process.send(booked(offsets))
  }
}

/** The parent: sends transfers, kills children, and looks at the accounts in the end. */
async function prove() {
  const folder = await mkdtemp(path.join(tmpdir(), 'bank-'))
  const broker = await Broker.start({
    storage: 'memory',
    listen: true,
    topics: [{ topic: TOPIC, numPartitions: PARTITIONS }],
  })
  const producer = new Producer({ port: broker.connect(), serializers: { value: jsonSerde() } })
  const transfers = Array.from({ length: TRANSFERS }, (_, n) => ({
    from: n % ACCOUNTS,
    to: (n * 7 + 3) % ACCOUNTS,
    amount: 1 + (n % 13),
  }))

  const perRound = TRANSFERS / (KILLS + 1)
  for (let round = 0; round <= KILLS; round++) {
    const values = transfers.slice(round * perRound, (round + 1) * perRound)
    const messages = values.map((value, n) => ({ value, partition: n % PARTITIONS }))
    await producer.send({ topic: TOPIC, messages })
    const child = fork(fileURLToPath(import.meta.url), ['book', broker.bootstrapServers, folder])
    child.once('exit', (code) => assert.equal(code, null, 'the child ends only when it is killed'))
    const isLast = round === KILLS
    // Mostly in the midst of the work, now and then before it begins.
    let progressLeft = randomInt(6)
    while (isLast || progressLeft-- > 0) {
      const [count] = await once(child, 'message')
      if (isLast && count === TRANSFERS) break
    }
    child.kill('SIGKILL')
    if (child.signalCode === null) await once(child, 'exit')
  }
  await producer.close()
  await broker.stop()

  const { environment, balances, offsets } = openDatabase(folder)
  assert.equal(booked(offsets), TRANSFERS)
  const expected = new Array(ACCOUNTS).fill(0)
  for (const { from, to, amount } of transfers) {
    expected[from] -= amount
    expected[to] += amount
  }
  for (let account = 0; account < ACCOUNTS; account++) {
    assert.equal(balances.get(account), expected[account], `account ${account}`)
  }
  console.log(`${TRANSFERS} transfers, ${KILLS} kills, and all ${ACCOUNTS} balances are right`)
  await environment.close()
  await rm(folder, { recursive: true })
}

function openDatabase(folder) {
  const environment = open({ path: folder })
  return {
    environment,
    balances: environment.openDB('balances', { keyEncoding: 'uint32' }),
    offsets: environment.openDB('offsets', { keyEncoding: 'uint32' }),
  }
}

/** How many transfers the database has. */
function booked(offsets) {
  let count = 0
  for (const { value } of offsets.getRange()) count += value
  return count
}
