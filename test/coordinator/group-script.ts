/**
 * What the languages of test/scenarios/group have in common. One command a line; what it answers,
 * and what it logs, is the transcript. Names of members stand for the ids that they were given.
 *
 *   topic NAME PARTITIONS · delete-topic NAME
 *   tick MS · restart · fail ERROR · close CONNECTION [broker|thread]
 */
import { ErrorCode } from '../../src/protocol/errors.ts'
import { recordLine } from './consumer-records-text.ts'
import { ConsumerWorld } from './consumer-world.ts'

/** A command with its words and its `key=value` pairs. */
export interface Command {
  readonly name: string
  readonly words: readonly string[]
  readonly given: ReadonlyMap<string, string>
}

/** Runs the commands of one scenario. */
export abstract class GroupScript {
  protected readonly world: ConsumerWorld
  /** Ids that the coordinator chose, by the names that a scenario has for them. */
  protected readonly ids = new Map<string, string>()
  #seen = 0
  #lines: string[] = []

  constructor(configs: Readonly<Record<string, string>> = {}) {
    this.world = new ConsumerWorld(configs)
  }

  /** The transcript of some lines. */
  run(text: string): string {
    this.#lines = []
    for (const line of text.split('\n')) {
      if (line.trim() !== '' && !line.startsWith('#')) this.#onCommand(parse(line))
      this.#records()
    }
    let transcript = this.#lines.join('\n')
    for (const [name, id] of this.ids) transcript = transcript.replaceAll(id, name)
    return transcript
  }

  /** A command of the language itself; `first` is its first word. */
  protected abstract request(command: Command, first: string): void

  protected say(line: string): void {
    this.#lines.push(line)
  }

  protected topicName(id: string): string {
    return this.world.image.topicById(id)?.name ?? 'deleted topic'
  }

  #records(): void {
    for (const record of this.world.records(this.#seen)) {
      this.say(`  ${recordLine(record, (id) => this.topicName(id))}`)
    }
    this.#seen = this.world.log.length
  }

  #onCommand(command: Command): void {
    const { world } = this
    const [first = '', second = ''] = command.words
    switch (command.name) {
      case 'topic':
        world.addTopic(first, Number(second))
        return
      case 'delete-topic':
        this.#deleteTopic(first)
        return
      case 'tick':
        world.tick(Number(first))
        return
      case 'close':
        world.close(first, second)
        return
      case 'restart':
        world.restart()
        return
      case 'fail':
        world.nextAppend = ErrorCode[first as keyof typeof ErrorCode]
        return
      default:
        this.request(command, first)
    }
  }

  #deleteTopic(name: string): void {
    const { world } = this
    const partition = world.image.topic(name)!.partitions[0]!
    world.deleteTopic(name)
    world.service.onImageChange({ kind: 'partition-deleted', partition })
  }
}

function parse(line: string): Command {
  const [name = '', ...rest] = line.trim().split(/\s+/)
  const words: string[] = []
  const given = new Map<string, string>()
  for (const word of rest) {
    const at = word.indexOf('=')
    if (at < 0) words.push(word)
    else given.set(word.slice(0, at), word.slice(at + 1))
  }
  return { name, words, given }
}
