/** What a client is asked to do, in a process of its own, and how that is measured. */

/** Records of `recordBytes` bytes without key or headers, all of one topic. */
export interface Job {
  readonly client: string
  readonly role: 'produce' | 'consume'
  readonly bootstrapServers: string
  readonly topic: string
  readonly recordBytes: number
  /** Records that are measured, and those before them that are not. */
  readonly records: number
  readonly warmUp: number
  /** Folder of the packages of other clients. */
  readonly packages: string
}

/** What a client took for the records that were measured. */
export interface Figures {
  readonly seconds: number
  /** Of the whole process, its threads included. */
  readonly cpuSeconds: number
}

/** A client under test. */
export interface Contender {
  /** Sends `records` with acks=all; resolves when all are acknowledged. The second call may use
   *  what the first has opened. */
  produce(job: Job): Promise<Sending>
  /** Reads the topic from its start as a member of a group, or by what the client has for it.
   *  `seen` is told of records whose values were looked at; true: these were enough. */
  consume(job: Job, seen: (records: number) => boolean): Promise<void>
}

/** A producer that is connected. */
export interface Sending {
  send(records: number): Promise<void>
  close(): Promise<void>
}

/** Bytes of one call of `send`, where the program decides how much goes at once. */
const CALL_BYTES = 256 * 1024
/** Calls that are not answered yet. */
const CALLS_MAX = 8

/** How many records go with one call. */
function recordsPerCall({ recordBytes }: Pick<Job, 'recordBytes'>): number {
  return Math.max(1, Math.floor(CALL_BYTES / recordBytes))
}

/** The value of every record. */
export function recordValue({ recordBytes }: Job): Buffer {
  return Buffer.alloc(recordBytes, 'abcdefghijklmnopqrstuvwxyz')
}

/** Sends by calls of many records, several of them under way. */
export async function sendByCalls(
  job: Pick<Job, 'recordBytes'>,
  records: number,
  call: (count: number) => Promise<unknown>,
): Promise<void> {
  const each = recordsPerCall(job)
  let left = records
  const lane = async () => {
    while (left > 0) {
      const count = Math.min(each, left)
      left -= count
      await call(count)
    }
  }
  await Promise.all(Array.from({ length: CALLS_MAX }, lane))
}

/** The time of `work`. */
export async function timed(work: () => Promise<void>): Promise<Figures> {
  const stop = startClock()
  await work()
  return stop()
}

/** Starts to measure; the answer ends it. */
export function startClock(): () => Figures {
  const cpu = process.cpuUsage()
  const begin = performance.now()
  return () => {
    const seconds = (performance.now() - begin) / 1000
    const { user, system } = process.cpuUsage(cpu)
    return { seconds, cpuSeconds: (user + system) / 1e6 }
  }
}
