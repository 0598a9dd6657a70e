/** One run of the simulation: a seed decides everything that happens. */
import { ErrorCode } from '../../src/protocol/errors.ts'
import { type Misfortune, SimulatedBroker } from './broker.ts'
import { deleteRecordsNowAndThen, SimulatedProducer, SimulatedReader } from './clients.ts'
import { Broken, PartitionLedger, recordsIn, type SeenRecord } from './promises.ts'
import { Random } from './random.ts'
import { Scheduler } from './scheduler.ts'

/** What a run is made of. */
export interface Scenario {
  seed: number
  /** Events until the misfortune ends. */
  steps: number
  /** A disk that lies: its run has to fail. */
  canary?: boolean
}

/** How a run ended. */
export interface Outcome {
  acknowledged: number
  crashes: number
  virtualMs: number
}

const PARTITIONS = 3
const PRODUCERS = 2
/** Events after the misfortune within which everything has to come to rest. */
const REST_STEPS = 200_000

/** Runs a scenario. Throws Broken, with the seed in its message, when a promise was broken. */
export async function simulate(scenario: Scenario): Promise<Outcome> {
  const random = new Random(scenario.seed)
  const scheduler = new Scheduler(random)
  const ledgers = Array.from(
    { length: PARTITIONS },
    (_, index) => new PartitionLedger(`t-${index}`),
  )
  const broker = new SimulatedBroker({
    scheduler,
    random,
    misfortune: misfortuneOf(random, scenario.canary === true),
    partitions: PARTITIONS,
    powerLoss: random.chance(0.5),
    onPowerLost: () => {
      for (const ledger of ledgers) ledger.powerLost()
    },
  })
  try {
    await new Run(scheduler, random, broker, ledgers).whole(scenario.steps)
  } catch (error) {
    const said = broker.lines.slice(-40).join('\n')
    const { name, message, stack } = error as Error
    const where = error instanceof Broken ? '' : `\n${stack}`
    throw new Broken(`seed ${scenario.seed}: ${name}: ${message}${where}\n${said}`)
  }
  const acknowledged = ledgers.reduce((sum, ledger) => sum + ledger.acknowledged, 0)
  return { acknowledged, crashes: broker.crashes, virtualMs: scheduler.nowMs }
}

/** Each seed has its own kind of bad luck; some have hardly any. */
function misfortuneOf(random: Random, canary: boolean): Misfortune {
  const share = (most: number) => (random.chance(0.5) ? random.next() * most : 0)
  return {
    full: share(0.1),
    tornAppend: share(0.02),
    killedInAppend: share(0.02),
    otherErrors: share(0.01),
    indexLoss: share(1),
    lies: canary ? 1 : 0,
  }
}

class Run {
  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #broker: SimulatedBroker
  readonly #ledgers: readonly PartitionLedger[]
  readonly #producers: SimulatedProducer[] = []
  readonly #readers: SimulatedReader[] = []
  #calm = false

  constructor(
    scheduler: Scheduler,
    random: Random,
    broker: SimulatedBroker,
    ledgers: readonly PartitionLedger[],
  ) {
    this.#scheduler = scheduler
    this.#random = random
    this.#broker = broker
    this.#ledgers = ledgers
  }

  async whole(steps: number): Promise<void> {
    for (const [slot, ledger] of this.#ledgers.entries()) {
      const parts = {
        scheduler: this.#scheduler,
        random: this.#random,
        transport: this.#broker,
        slot,
        ledger,
      }
      for (let id = 0; id < PRODUCERS; id++) {
        this.#producers.push(new SimulatedProducer(slot * 10 + id, parts))
      }
      this.#readers.push(new SimulatedReader(parts))
      deleteRecordsNowAndThen(parts, () => this.#calm)
    }
    this.#crashNowAndThen()
    for (let i = 0; i < steps; i++) await this.#step()
    await this.#comeToRest()
    for (const [slot, ledger] of this.#ledgers.entries()) {
      ledger.finish(await this.#readAll(slot, ledger))
    }
  }

  /** No more bad luck: within a bounded time all is acknowledged. */
  async #comeToRest(): Promise<void> {
    this.#calm = true
    this.#broker.calm = true
    for (const producer of this.#producers) producer.stopped = true
    for (let i = 0; !this.#producers.every((producer) => producer.isDone); i++) {
      if (i === REST_STEPS) throw new Broken('producers are not answered although all is well')
      await this.#step()
    }
    for (const reader of this.#readers) reader.stopped = true
  }

  async #readAll(slot: number, ledger: PartitionLedger): Promise<SeenRecord[]> {
    const all: SeenRecord[] = []
    let next = ledger.start
    let end = Number.POSITIVE_INFINITY
    for (let i = 0; next < end; i++) {
      if (i === REST_STEPS) throw new Broken(`${ledger.name}: reading stops at ${next} of ${end}`)
      let answered = false
      const asked = ledger.asks(next)
      const connection = this.#broker.connect(() => {})
      connection.read(slot, next, 100_000, (read) => {
        answered = true
        if (read.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) throw new Broken(`nothing at ${next}`)
        if (read.errorCode !== ErrorCode.NONE) return
        end = read.highWatermark
        const records = recordsIn(read.bytes)
        ledger.read(asked, { start: read.logStartOffset, high: end }, records)
        all.push(...records.filter((record) => record.offset >= next))
        next = (records.at(-1)?.offset ?? next - 1) + 1
      })
      for (let j = 0; j < 1000 && !answered; j++) await this.#step()
    }
    return all
  }

  #crashNowAndThen(): void {
    this.#scheduler.after(this.#random.int(500, 30_000), () => {
      if (this.#calm) return
      if (this.#random.chance(0.3)) void this.#broker.restart()
      else this.#broker.crash()
      this.#crashNowAndThen()
    })
  }

  async #step(): Promise<void> {
    this.#scheduler.step()
    // A clean stop waits for promises.
    await Promise.resolve()
  }
}
