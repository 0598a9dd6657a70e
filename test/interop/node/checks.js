/** What the Node clients share: the records to send, and a line of JSON for each check. */
import { randomBytes } from 'node:crypto'

export const bootstrap = process.argv[2]
export const T0 = 1_700_000_000_000
const checkMsMax = 25_000

/** Runs `body`; what it throws, or not ending in time, makes the check fail. */
export async function check(name, body) {
  let detail = ''
  let timer
  const late = new Promise((_, failed) => {
    timer = setTimeout(() => failed(new Error(`not done after ${checkMsMax} ms`)), checkMsMax)
  })
  try {
    await Promise.race([body(), late])
  } catch (error) {
    detail = describe(error).slice(0, 600)
  }
  clearTimeout(timer)
  process.stdout.write(`${JSON.stringify({ check: name, ok: detail === '', detail })}\n`)
}

export function expect(condition, why) {
  if (!condition) throw new Error(why)
}

/** Awaits `body`, which has to reject with an error that names one of `words` somewhere. */
export async function refused(body, ...words) {
  let error
  try {
    await body()
  } catch (caught) {
    error = caught
  }
  expect(error, 'accepted')
  const text = describe(error)
  expect(
    words.some((word) => text.includes(word)),
    `got ${text}`,
  )
}

/** All words of an error, of what it wraps and of errors that it lists by partition. */
function describe(error) {
  const own = Object.entries(error).filter(
    ([key, value]) =>
      key !== 'stack' && key !== 'helpUrl' && ['string', 'number'].includes(typeof value),
  )
  const inner = [error.cause, ...(error.errors ?? []), ...(error.partitions ?? [])]
  const below = inner.map((wrapped) => wrapped?.error ?? wrapped).filter(Boolean)
  return [`${error?.name} ${error?.message}`, ...own.flat(), ...below.map(describe)].join(' ')
}

/** Kafka answers some changes before every read shows them. */
export async function waitFor(what, condition) {
  const deadline = Date.now() + 5_000
  while (!(await condition())) {
    expect(Date.now() < deadline, `waited in vain for ${what}`)
    await new Promise((done) => setTimeout(done, 50))
  }
}

/** Records of every shape: key and value are a Buffer or null, headers a list of [name, Buffer].
 *  `withEmpty`: also one whose value is there and has no bytes. */
export function variety(partition, withEmpty = true) {
  const headers = [
    ['a', Buffer.from('1')],
    ['empty', Buffer.alloc(0)],
    ['\u00e4\u4e2d', Buffer.from([0, 255, 127, 128])],
  ]
  const shapes = [
    ['key', 'value', []],
    [null, 'null key', []],
    ['null value', null, []],
    [null, null, []],
    ['headers', 'with headers', headers],
    ...(withEmpty ? [['empty value', '', []]] : []),
  ]
  for (let i = 0; i < 300; i++) {
    const value = i % 3 === 0 ? 'x'.repeat(1 + i * 7) : randomBytes(1 + i * 5)
    shapes.push([`k${i}`, value, []])
  }
  return shapes.map(([key, value, headers], i) => ({
    partition,
    key: buffer(key),
    value: buffer(value),
    headers,
    timestamp: T0 + i,
  }))
}

export function numbered(count, partition = 0) {
  return Array.from({ length: count }, (_, i) => ({
    partition,
    key: null,
    value: Buffer.from(`record ${i}`),
    headers: [],
    timestamp: T0 + i * 1000,
  }))
}

export function blob(length) {
  return { partition: 0, key: null, value: randomBytes(length), headers: [], timestamp: T0 }
}

/** `read` has the form of `sent` with the offset in addition. */
export function compare(sent, read) {
  expect(sent.length === read.length, `read ${read.length} of ${sent.length}`)
  for (const [i, a] of sent.entries()) {
    const b = read[i]
    expect(same(a.key, b.key), `key of ${i}: ${b.key}`)
    expect(same(a.value, b.value), `value of ${i}: ${b.value?.length}`)
    expect(a.timestamp === b.timestamp, `timestamp of ${i}: ${b.timestamp}`)
    expect(a.headers.length === b.headers.length, `headers of ${i}: ${b.headers.length}`)
    for (const [j, [name, value]] of a.headers.entries()) {
      expect(name === b.headers[j][0] && same(value, b.headers[j][1]), `header ${j} of ${i}`)
    }
    expect(i === 0 || b.offset === read[i - 1].offset + 1, `offset of ${i}: ${b.offset}`)
  }
}

function buffer(value) {
  return value === null ? null : Buffer.from(value)
}

function same(a, b) {
  return a === null || b === null ? a === b : a.equals(b)
}
