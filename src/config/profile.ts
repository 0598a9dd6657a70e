/**
 * The two profiles of the broker. `strict` behaves and waits as Kafka does; `dev` departs from it
 * where Kafka makes a developer wait or ask twice. Every departure is a row here: the documents are
 * generated from it, and test/library/profiles.test.ts has a test for each.
 */
import type { ConfigText } from './define.ts'

/** Which of the two is active is the setting `odradek.profile`. */
export type Profile = 'strict' | 'dev'

interface Departure {
  readonly strict: string
  readonly dev: string
}

/** What is different, by a name for it. */
export const departures = {
  'lost members': {
    strict:
      'A member of a group whose client is gone without a word stays until its session runs out.',
    dev:
      'It leaves at once, when its client has closed the last connection that joined or sent ' +
      'heartbeats for it. A client that goes on over a new connection joins again, as after a ' +
      'session that ran out. Static members (`group.instance.id`) stay as in strict, and so do ' +
      'those whose connection the broker closed.',
  },
  'more replicas than nodes': {
    strict: 'A topic with more than one replica is refused with INVALID_REPLICATION_FACTOR.',
    dev: 'It gets one replica, and the log says so. A manual assignment to other nodes is refused.',
  },
  'internal topics': {
    strict:
      '`__consumer_offsets`, `__transaction_state` and `__share_group_state` are made with 50 ' +
      'partitions.',
    dev: 'They are made with 4, unless the settings say otherwise.',
  },
} as const satisfies Readonly<Record<string, Departure>>

/** What a profile sets. */
const settings: Readonly<Record<Profile, Readonly<Record<string, string>>>> = {
  strict: {},
  dev: {
    'offsets.topic.num.partitions': '4',
    'share.coordinator.state.topic.num.partitions': '4',
    'transaction.state.log.num.partitions': '4',
  },
}

/** What was set, and what its profile sets besides. */
export function withProfile(texts: ConfigText): ConfigText {
  const name = texts.get('odradek.profile') ?? 'strict'
  if (!isProfile(name)) return texts
  return new Map([...Object.entries(settings[name]), ...texts])
}

function isProfile(name: string): name is Profile {
  return Object.hasOwn(settings, name)
}
