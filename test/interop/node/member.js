/** What the members of a group have in common: settings, commands and events. */
import { createInterface } from 'node:readline'

export const bootstrap = process.argv[2]
export const settings = Object.fromEntries(
  process.argv
    .slice(3)
    .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
)

/**
 * Runs the commands of standard input one after another, each by the function of its name, which
 * gets { topic, partition, offset }. After 'close' the process ends.
 */
export async function obey(commands) {
  for await (const line of createInterface({ input: process.stdin })) {
    const [command, place = '', offset] = line.split(' ')
    const [topic, partition] = place.split(':')
    let error = ''
    try {
      await commands[command]({ topic, partition: Number(partition), offset: Number(offset) })
    } catch (caught) {
      error = String(caught)
    }
    if (command === 'close') process.exit(error === '' ? 0 : 1)
    emit({ event: 'done', command, error })
  }
}

export function record(topic, partition, offset) {
  emit({ event: 'record', partition: `${topic}:${partition}`, offset: Number(offset) })
}

/** `partitions`: [{ topic, partition }]. */
export function changed(event, partitions) {
  const names = partitions.map(({ topic, partition }) => `${topic}:${partition}`)
  emit({ event, partitions: names })
}

let owned = []

/** For clients that only tell what they own now. */
export function owns(partitions) {
  changed('revoked', owned)
  changed('assigned', partitions)
  owned = partitions
}

function emit(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`)
}
