/** Kafka's own tool for streams groups. */
import { check, expect } from '../program.ts'
import { attempt, tool } from '../tool.ts'

const GROUPS = 'streams.StreamsGroupCommand'

/** All checks of a group with members; it has four tasks in each of its two subtopologies. */
export function describeStreamsGroup(group: string): void {
  const of = ['--group', group]
  const row = (rest: string) => new RegExp(`^${group}\\s+${rest}`, 'm')
  check('streams-groups-list', () => {
    tool(GROUPS, ['--list'], row('$'))
    tool(GROUPS, ['--list', '--state'], row('Stable$'))
    tool('GroupsCommand', ['--list'], row('Streams\\s+streams\\b'))
  })
  check('streams-groups-describe', () => {
    tool(GROUPS, ['--describe', ...of], row('lines\\s+3\\s+0$'))
    tool(GROUPS, ['--describe', ...of], row(`${group}-counts-repartition\\s+3\\s+0$`))
    tool(GROUPS, ['--describe', ...of, '--state'], row('127\\S+\\s+\\(\\d+\\)\\s+Stable\\s+2$'))
  })
  check('streams-groups-describe-members', () => {
    const verbose = ['--describe', ...of, '--members', '--verbose']
    const { out } = tool(GROUPS, verbose, /TARGET-ACTIVE: 0:\[\d,\d\]; 1:\[\d,\d\];/)
    const active = [...out.matchAll(/ ACTIVE: 0:\[(\d),(\d)\]; 1:\[(\d),(\d)\];/g)]
    const partitions = (at: number) => active.flatMap((found) => [found[at], found[at + 1]]).sort()
    for (const at of [1, 3]) expect(partitions(at).join('') === '0123', () => out)
  })
  check('streams-groups-delete-with-members', () => {
    const { out, err } = attempt(GROUPS, ['--delete', ...of])
    expect(/is not EMPTY/.test(out + err), () => out + err)
  })
}

/** All checks of a group without members. */
export function deleteStreamsGroup(group: string): void {
  const lines = ['--group', group, '--input-topic', 'lines']
  check('streams-groups-reset-offsets', () => {
    const reset = ['--reset-offsets', ...lines, '--to-earliest']
    const row = new RegExp(`^${group}\\s+lines\\s+3\\s+0\\s*$`, 'm')
    tool(GROUPS, [...reset, '--dry-run'], row)
    tool(GROUPS, [...reset, '--execute'], row)
  })
  check('streams-groups-delete-offsets', () => {
    tool(GROUPS, ['--delete-offsets', ...lines], /^lines\s+\S+\s+Successful/m)
  })
  check('streams-groups-delete', () => {
    tool(GROUPS, ['--delete', '--group', group], /Deletion of requested streams groups/)
    const { out } = tool(GROUPS, ['--list'], /^/)
    expect(!out.split('\n').includes(group), () => out)
    const nobody = attempt(GROUPS, ['--describe', '--group', group])
    expect(/Group \S+ not found/.test(nobody.out + nobody.err), () => nobody.out + nobody.err)
  })
}
