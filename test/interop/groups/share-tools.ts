/** Kafka's own tools for share groups. */
import { check, expect } from '../program.ts'
import { attempt, tool } from '../tool.ts'

const TOPIC = 'shared'
const GROUP = 'sharers'
const of = ['--group', GROUP]
const GROUPS = 'consumer.group.ShareGroupCommand'

/** All checks: each tool by itself, on a group that a console consumer made. */
export function shareTools(): void {
  check('console-share-consumer', () => {
    tool('TopicCommand', ['--create', '--topic', TOPIC, '--partitions', '2'], /^Created/m)
    const fromStart = ['--alter', ...of, '--add-config', 'share.auto.offset.reset=earliest']
    tool('kafka.admin.ConfigCommand', fromStart, /^Completed updating config for group sharers/m)
    const input = Array.from({ length: 20 }, (_, i) => `value ${i}\n`).join('')
    tool('ConsoleProducer', ['--topic', TOPIC], /^/, input)
    const out = consume()
    expect(out.trimEnd().split('\n').length === 20, () => out)
  })
  check('console-share-consumer-goes-on', () => {
    tool('ConsoleProducer', ['--topic', TOPIC], /^/, 'the next\n')
    const out = consume()
    expect(out.trim() === 'the next', () => out)
  })
  check('share-groups-list', () => {
    tool(GROUPS, ['--list'], /^sharers$/m)
    tool(GROUPS, ['--list', '--state'], /^sharers\s+Empty\b/m)
    tool('GroupsCommand', ['--list'], /^sharers\s+Share\s+share\b/m)
  })
  check('share-groups-describe', () => {
    // Without keys all records may be in one of the partitions, and the other was never read.
    tool(GROUPS, ['--describe', ...of], /^sharers\s+shared\s+\d\s+\d+\s+0$/m)
    tool(GROUPS, ['--describe', ...of, '--state'], /^sharers\s.*Empty\s+0$/m)
    const nobody = attempt(GROUPS, ['--describe', '--group', 'nobody'])
    expect(/Group nobody not found/.test(nobody.out + nobody.err), () => nobody.out + nobody.err)
  })
  check('share-groups-reset-offsets', () => {
    const reset = ['--reset-offsets', ...of, '--topic', TOPIC, '--to-earliest']
    tool(GROUPS, [...reset, '--dry-run'], /^sharers\s+shared\s+0\s+0$/m)
    tool(GROUPS, [...reset, '--execute'], /^sharers\s+shared\s+1\s+0$/m)
    const out = consume()
    expect(out.trimEnd().split('\n').length === 21, () => out)
  })
  check('share-groups-delete-offsets', () => {
    tool(GROUPS, ['--delete-offsets', ...of, '--topic', TOPIC], /^shared\s+Successful/m)
    tool(GROUPS, ['--describe', ...of], /Share group 'sharers' has no offset information/)
  })
  check('share-groups-delete', () => {
    const deleted = /Deletion of requested share groups \('sharers'\) was successful/
    tool(GROUPS, ['--delete', ...of], deleted)
    const { out } = tool(GROUPS, ['--list'], /^/)
    expect(!out.split('\n').includes(GROUP), () => out)
  })
}

function consume(): string {
  const args = ['--topic', TOPIC, ...of, '--timeout-ms', '5000']
  return tool('consumer.ConsoleShareConsumer', args, /^/).out
}
