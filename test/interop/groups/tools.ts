/** Kafka's own tools for consumer groups. */
import { spawn } from 'node:child_process'
import { kafkaTool } from '../clients.ts'
import { check, expect } from '../program.ts'
import { attempt, servers, tool } from '../tool.ts'

const TOPIC = 'grouped'
const GROUP = 'readers'
const of = ['--group', GROUP]

/** All checks: each tool by itself, on a group that a console consumer made. */
export function groupTools(): void {
  consuming()
  describing()
  live()
  changing()
}

const groups = (args: readonly string[], pattern: RegExp) =>
  tool('consumer.group.ConsumerGroupCommand', args, pattern)

function consuming(): void {
  check('console-consumer-group', () => {
    tool('TopicCommand', ['--create', '--topic', TOPIC, '--partitions', '2'], /^Created/m)
    const input = Array.from({ length: 20 }, (_, i) => `value ${i}\n`).join('')
    tool('ConsoleProducer', ['--topic', TOPIC], /^/, input)
    const args = ['--topic', TOPIC, ...of, '--from-beginning', '--timeout-ms', '5000']
    const { out } = tool('consumer.ConsoleConsumer', args, /^value 0$/m)
    expect(out.trimEnd().split('\n').length === 20, () => out)
  })
  check('console-consumer-group-goes-on', () => {
    tool('ConsoleProducer', ['--topic', TOPIC], /^/, 'the next\n')
    const args = ['--topic', TOPIC, ...of, '--from-beginning', '--timeout-ms', '5000']
    const { out } = tool('consumer.ConsoleConsumer', args, /^the next$/m)
    expect(out.trim() === 'the next', () => out)
  })
}

function describing(): void {
  check('consumer-groups-list', () => {
    groups(['--list'], /^readers$/m)
    groups(['--list', '--state'], /^readers\s+Empty\b/m)
    groups(['--list', '--type'], /^readers\s+Classic\b/m)
  })
  check('groups-list', () => {
    tool('GroupsCommand', ['--list'], /^readers\s+Classic\s+consumer\b/m)
  })
  check('consumer-groups-describe-offsets', () => {
    const { out } = groups(['--describe', ...of, '--offsets'], /^readers\s+grouped\s+1\s/m)
    const rows = [...out.matchAll(/^readers\s+grouped\s+\d\s+(\d+)\s+(\d+)\s+0\s/gm)]
    const committed = rows.reduce((sum, [, offset]) => sum + Number(offset), 0)
    expect(rows.length === 2 && committed === 21, () => out)
  })
  check('consumer-groups-describe-state', () => {
    groups(['--describe', ...of, '--state'], /^readers\s+\S+:\d+\s+\(1\)\s.*Empty\s+0$/m)
    groups(['--describe', ...of, '--state', '--verbose'], /^readers\s.*Empty\s/m)
  })
  check('consumer-groups-describe-unknown', () => {
    const name = 'consumer.group.ConsumerGroupCommand'
    const { out, err } = attempt(name, ['--describe', '--group', 'nobody'])
    expect(/Group nobody not found/.test(out + err), () => out + err)
  })
}

/** A group of either protocol while it has a member. */
function live(): void {
  for (const protocol of ['classic', 'consumer']) {
    check(`consumer-groups-describe-members-${protocol}`, () => {
      const group = `live-${protocol}`
      const property = ['--command-property', `group.protocol=${protocol}`]
      const args = [...servers, '--topic', TOPIC, '--group', group, ...property]
      const [java = '', ...rest] = [...kafkaTool('consumer.ConsoleConsumer'), ...args]
      const member = spawn(java, rest, { stdio: 'ignore' })
      try {
        const describe = ['--describe', '--group', group]
        const owns = new RegExp(`^${group}\\s+\\S+\\s.*${TOPIC}.*0, *1`, 'm')
        untilItHolds(() => groups([...describe, '--members', '--verbose'], owns))
        groups([...describe, '--members'], new RegExp(`^${group}\\s.*\\s2\\s*$`, 'm'))
        groups([...describe, '--state'], new RegExp(`^${group}\\s.*Stable\\s+1\\s*$`, 'm'))
        const consumerId = new RegExp(`^${group}\\s+${TOPIC}\\s+0\\s.*console-consumer`, 'm')
        groups([...describe, '--offsets', '--verbose'], consumerId)
      } finally {
        member.kill('SIGKILL')
      }
    })
  }
}

function changing(): void {
  check('consumer-groups-reset-offsets', () => {
    const reset = ['--reset-offsets', ...of, '--topic', TOPIC]
    groups([...reset, '--to-earliest', '--dry-run'], /^readers\s+grouped\s+0\s+0\b/m)
    groups(['--describe', ...of], /^readers\s+grouped\s+0\s+\d+\s+\d+\s+0\s/m)
    groups([...reset, '--to-earliest', '--execute'], /^readers\s+grouped\s+1\s+0\b/m)
    groups(['--describe', ...of], /^readers\s+grouped\s+0\s+0\s/m)
  })
  check('consumer-groups-delete-offsets', () => {
    groups(['--delete-offsets', ...of, '--topic', `${TOPIC}:0`], /Successful/)
    const { out } = groups(['--describe', ...of], /^readers\s+grouped\s+1\s+0\s/m)
    expect(!/^readers\s+grouped\s+0\s+\d/m.test(out), () => out)
  })
  check('streams-application-reset', () => {
    const args = ['--application-id', GROUP, '--input-topics', TOPIC, '--to-offset', '1', '--force']
    tool('StreamsResetter', args, /^/)
    const { out } = groups(['--describe', ...of], /^readers\s+grouped\s+1\s/m)
    const rows = [...out.matchAll(/^readers\s+grouped\s+\d\s+(\d+)\s+(\d+)\s/gm)]
    // A console producer without keys may have left a partition empty: 1 is beyond its end.
    const reset = rows.every(([, offset, end]) => Number(offset) === Math.min(1, Number(end)))
    expect(rows.length === 2 && reset, () => out)
  })
  check('consumer-groups-delete', () => {
    groups(
      ['--delete', ...of],
      /Deletion of requested consumer groups \('readers'\) was successful/,
    )
    const { out } = groups(['--list'], /^/)
    expect(!out.split('\n').includes(GROUP), () => out)
  })
}

/** A member takes seconds to join, and each attempt takes about one. */
function untilItHolds(body: () => void): void {
  for (let left = 8; ; left--) {
    try {
      body()
      return
    } catch (error) {
      if (left === 0) throw error
    }
  }
}
