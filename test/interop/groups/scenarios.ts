/** What the members of a group go through, whichever client they are. */
import { spawn } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'
import type { Delivery, Member, MemberSettings } from './member.ts'

/** What a scenario works with. */
export interface World {
  /** Starts a member of the client under test. */
  join(name: string, settings: MemberSettings): Member
  /** Appends `count` records to each of a topic's four partitions; the first creates the topic. */
  produce(topic: string, count: number): Promise<void>
  /** Runs one check. */
  check(name: string, body: () => Promise<void>): Promise<boolean>
}

/** Twice the longest wait of a fetch that any of the clients asks for by itself. */
const fetchMsMax = 1_000
const partitions = [0, 1, 2, 3]

/**
 * Two members share four partitions; one is killed and the other goes on where it had committed.
 */
export async function takeover(world: World): Promise<void> {
  const topic = 'shared'
  await world.produce(topic, 25)
  const settings: MemberSettings = { group: 'takeover', topics: topic, reset: 'earliest' }
  const first = world.join('first', settings)
  const second = world.join('second', settings)
  const shared = await world.check('two-members-share', async () => {
    await evenly(first, second)
    await world.produce(topic, 5)
    await Promise.all([first.reads(29, 2), second.reads(29, 2)])
    expectNoGaps([...first.deliveries, ...second.deliveries], topic, 0, 29)
  })
  if (!shared) return
  await world.check('takeover-after-kill', async () => {
    await Promise.all([first.command('commit'), second.command('commit')])
    await world.produce(topic, 10)
    await Promise.all([first.reads(39, 2), second.reads(39, 2)])
    const before = second.deliveries.length
    const orphaned = [...first.owned]
    first.kill()
    await second.reads(39, 4)
    const taken = second.deliveries.slice(before)
    for (const partition of orphaned) expectOffsets(taken, partition, 30, 39)
    const again = taken.filter(({ offset }) => offset < 30)
    expect(again.length === 0, `committed and read again: ${JSON.stringify(again.slice(0, 3))}`)
    await world.produce(topic, 10)
    await second.reads(49, 4)
    expectNoGaps(second.deliveries.slice(before), topic, 40, 49)
  })
  await world.check('last-member-leaves', () => second.close())
}

/** One member alone: reset policies, and what the client can of pause, seek and commits. */
export async function alone(world: World, can: ReadonlySet<string>): Promise<void> {
  const topic = 'alone'
  await world.produce(topic, 20)
  const settings: MemberSettings = { group: 'alone', topics: topic, reset: 'earliest' }
  let member = world.join('alone', settings)
  const started = await world.check('reset-earliest', async () => {
    await member.reads(19, 4)
    expectNoGaps(member.deliveries, topic, 0, 19)
  })
  if (!started) return
  if (can.has('pause')) await world.check('pause-and-resume', () => pause(world, member, topic))
  else await world.produce(topic, 5)
  await world.check('reads-on', () => member.reads(24, 4))
  if (can.has('seek')) await world.check('seek', () => seek(member, topic))
  let end = 25
  for (const commit of can.has('async') ? ['commit', 'commit-async'] : ['commit']) {
    await world.check(`${commit}-and-resume`, async () => {
      await member.command(commit)
      await member.close()
      await world.produce(topic, 1)
      member = world.join('again', settings)
      await member.reads(end, 4)
      for (const index of partitions)
        expectOffsets(member.deliveries, `${topic}:${index}`, end, end)
    })
    end++
  }
  await world.check('reset-latest', () => latest(world, topic, end))
  await member.close().catch(() => {}) // a check above has told what is wrong
}

/**
 * A member that restarts under its instance id keeps its partitions, and nobody else notices.
 * `closes`: it ends in good order, which a client that leaves even so cannot.
 */
export async function staticRestart(world: World, closes: boolean): Promise<void> {
  await world.check('static-member-restarts-without-rebalance', async () => {
    const topic = 'static'
    await world.produce(topic, 2)
    const settings: MemberSettings = { group: 'static', topics: topic, reset: 'earliest' }
    const one = world.join('one', { ...settings, instance: 'one' })
    let other = world.join('other', { ...settings, instance: 'other' })
    await evenly(one, other)
    await Promise.all([one.reads(1, 2), other.reads(1, 2)])
    const owned = [...other.owned].sort().join()
    await other.command('commit')
    if (closes) await other.close()
    else other.kill()
    const changes = one.changes.length
    other = world.join('restarted', { ...settings, instance: 'other' })
    await other.wait('its partitions', () => [...other.owned].sort().join() === owned)
    await world.produce(topic, 1)
    await Promise.all([one.reads(2, 2), other.reads(2, 2)])
    const noticed = JSON.stringify(one.changes.slice(changes))
    expect(one.changes.length === changes, `the other member saw ${noticed}`)
    await Promise.all([one.close(), other.close()])
  })
}

/** Only what moves is revoked. */
export async function cooperative(world: World): Promise<void> {
  await world.check('cooperative', async () => {
    const topic = 'cooperative'
    await world.produce(topic, 2)
    const settings: MemberSettings = {
      group: 'cooperative',
      topics: topic,
      reset: 'earliest',
      cooperative: true,
    }
    const first = world.join('first', settings)
    await first.reads(1, 4)
    const joined = first.changes.length
    const second = world.join('second', settings)
    await evenly(first, second)
    const changed = first.changes.slice(joined)
    const revoked = changed.filter(({ event }) => event === 'revoked').flatMap((c) => c.partitions)
    expect(revoked.length === 2, `revoked ${revoked}`)
    await world.produce(topic, 1)
    await Promise.all([first.reads(2, 2), second.reads(2, 2)])
    expect(first.deliveries.length === 10, `${first.deliveries.length} records`)
    const left = first.changes.length
    await second.close()
    await first.wait('all partitions', () => first.owned.size === 4)
    const returned = first.changes.slice(left).filter(({ partitions: p }) => p.length > 0)
    expect(
      returned.every(({ event }) => event === 'assigned'),
      JSON.stringify(returned),
    )
    await first.close()
  })
}

/** Topics by pattern; `grows`: those that come later as well. */
export async function pattern(world: World, grows: boolean): Promise<void> {
  await world.check('regex-subscription', async () => {
    await Promise.all(['pat-a', 'pat-b', 'other-a'].map((topic) => world.produce(topic, 1)))
    const member = world.join('matcher', { group: 'regex', regex: '^pat-.*', reset: 'earliest' })
    await member.reads(0, 8)
    if (grows) {
      await world.produce('pat-c', 1)
      await member.reads(0, 12)
    }
    expect(
      [...member.owned].every((partition) => partition.startsWith('pat-')),
      `owns ${[...member.owned]}`,
    )
    await member.close()
  })
}

/** Runs kcat, which is quick to start, once for each partition. */
export async function append(bootstrap: string, topic: string, count: number): Promise<void> {
  const input = Array.from({ length: count }, (_, i) => `record ${i}\n`).join('')
  // The first creates the topic.
  await kcat(['-b', bootstrap, '-t', topic, '-p', '0'], input)
  const others = partitions.slice(1).map(String)
  await Promise.all(others.map((p) => kcat(['-b', bootstrap, '-t', topic, '-p', p], input)))
}

async function pause(world: World, member: Member, topic: string): Promise<void> {
  const before = member.deliveries.length
  const since = () => member.deliveries.slice(before)
  await member.command('pause', `${topic}:0`)
  // A fetch that is under way asks for the paused partition still.
  await setTimeout(fetchMsMax)
  await world.produce(topic, 5)
  await member.wait('three partitions', () => since().length >= 15)
  await world.produce('unrelated', 1) // gives a paused partition time to be read all the same
  expect(
    since().every(({ partition }) => partition !== `${topic}:0`),
    'read a paused partition',
  )
  await member.command('resume', `${topic}:0`)
  await member.wait('the fourth', () => since().length >= 20)
  expectNoGaps(since(), topic, 20, 24)
  expect(since().length === 20, `${since().length} records`)
}

async function seek(member: Member, topic: string): Promise<void> {
  const before = member.deliveries.length
  const sought = () => member.deliveries.slice(before)
  await member.command('seek', `${topic}:1`, 3)
  await member.wait('offset 24 again', () => sought().some(({ offset }) => offset === 24))
  expectOffsets(sought(), `${topic}:1`, 3, 24)
  expect(
    sought().every(({ partition }) => partition === `${topic}:1`),
    'other partitions too',
  )
}

async function latest(world: World, topic: string, end: number): Promise<void> {
  const member = world.join('late', { group: 'late', topics: topic, reset: 'latest' })
  await member.wait('its partitions', () => member.owned.size === 4)
  const seen = () => new Set(member.deliveries.map(({ partition }) => partition)).size
  // Clients ask for the end of the log some time after they were given the partition.
  for (let attempt = 0; seen() < 4 && attempt < 30; attempt++) await world.produce(topic, 1)
  await member.wait('a record of each partition', () => seen() === 4)
  const old = member.deliveries.filter(({ offset }) => offset < end)
  expect(old.length === 0, `read ${JSON.stringify(old[0])}`)
  await member.close()
}

async function evenly(first: Member, second: Member): Promise<void> {
  const apart = () =>
    first.owned.size === 2 &&
    second.owned.size === 2 &&
    [...first.owned].every((partition) => !second.owned.has(partition))
  // Either may be the last to change, and a member only watches itself.
  for (let calm = false; !calm; calm = apart()) {
    await first.wait('two partitions', () => first.owned.size === 2)
    await second.wait('two partitions', () => second.owned.size === 2)
  }
}

function expectNoGaps(deliveries: readonly Delivery[], topic: string, from: number, to: number) {
  for (const index of partitions) {
    const offsets = offsetsOf(deliveries, `${topic}:${index}`)
    for (let offset = from; offset <= to; offset++) {
      expect(offsets.includes(offset), `${topic}:${index} was read without ${offset}: ${offsets}`)
    }
  }
}

/** Exactly these, in order, each once. */
function expectOffsets(deliveries: readonly Delivery[], of: string, from: number, to: number) {
  const wanted = Array.from({ length: to - from + 1 }, (_, i) => from + i).join()
  const offsets = offsetsOf(deliveries, of).join()
  expect(offsets === wanted, `${of} was read as ${offsets}, not ${wanted}`)
}

function offsetsOf(deliveries: readonly Delivery[], of: string): number[] {
  return deliveries.filter(({ partition }) => partition === of).map(({ offset }) => offset)
}

function kcat(args: readonly string[], input: string): Promise<void> {
  return new Promise((done, failed) => {
    const child = spawn('kcat', ['-P', ...args], { stdio: ['pipe', 'ignore', 'pipe'] })
    let noise = ''
    child.stderr.on('data', (chunk) => {
      noise += chunk
    })
    child.once('error', failed)
    child.once('close', (code) => {
      if (code === 0) done()
      else failed(new Error(`kcat ended ${code}: ${noise}`))
    })
    child.stdin.end(input)
  })
}

function expect(condition: boolean, why: string): void {
  if (!condition) throw new Error(why.slice(0, 600))
}
