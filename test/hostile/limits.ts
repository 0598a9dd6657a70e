/** The bounds on connections: a broker with small ones, and clients that do not keep to them. */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { ApiVersions } from '../../src/protocol/apis/18-api-versions.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { RawConnection } from '../support/raw-connection.ts'
import { pause } from '../support/seeded.ts'

const IDLE_MS = 1500

/** What went wrong. */
export async function connectionLimits(shards: string): Promise<string[]> {
  return [
    ...(await withBroker({ 'max.connections': '20' }, shards, (port) => atMost(port, 20))),
    ...(await withBroker({ 'max.connections.per.ip': '10' }, shards, (port) => atMost(port, 10))),
    ...(await withBroker({ 'connections.max.idle.ms': String(IDLE_MS) }, shards, idle)),
  ]
}

async function withBroker(
  configs: Readonly<Record<string, string>>,
  shards: string,
  check: (port: number) => Promise<string[]>,
): Promise<string[]> {
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'odradek-limits-'))
  const broker = await BrokerProcess.start({
    dataDir,
    configs: { ...configs, 'odradek.shards': shards },
  })
  try {
    return (await check(broker.port)).map((fault) => `${JSON.stringify(configs)}: ${fault}`)
  } finally {
    await broker.kill()
    fs.rmSync(dataDir, { recursive: true, force: true })
  }
}

/** Whether a connection is served; it stays open if it is. */
async function isServed(port: number): Promise<RawConnection | undefined> {
  try {
    const connection = await RawConnection.open(port)
    await connection.ask(ApiVersions, 0, {})
    return connection
  } catch {
    return undefined
  }
}

/** A flood gets `limit` connections; when they are gone, others may come. */
async function atMost(port: number, limit: number): Promise<string[]> {
  const faults: string[] = []
  for (let wave = 0; wave < 3; wave++) {
    const all = await Promise.all(Array.from({ length: limit * 4 }, () => isServed(port)))
    const served = all.filter((one) => one !== undefined)
    if (served.length !== limit) faults.push(`wave ${wave}: ${served.length} are served`)
    for (const connection of served) connection.close()
    await Promise.all(served.map(({ closed }) => closed))
    // The broker hears of the last ones a moment later.
    for (let i = 0; i < 100; i++) {
      const next = await isServed(port)
      if (next !== undefined) {
        next.close()
        break
      }
      await pause(20)
      if (i === 99) faults.push(`wave ${wave}: nobody is served afterwards`)
    }
    await pause(100)
  }
  return faults
}

/** Idle connections are closed, and those that are at work are not. */
async function idle(port: number): Promise<string[]> {
  const faults: string[] = []
  const idlers = await Promise.all(Array.from({ length: 10 }, () => RawConnection.open(port)))
  const worker = await RawConnection.open(port)
  let gone = 0
  for (const { closed } of idlers) void closed.then(() => gone++)
  for (let i = 0; i < 200 && gone < idlers.length; i++) {
    await worker.ask(ApiVersions, 0, {})
    await pause(50)
  }
  if (gone < idlers.length) faults.push(`${idlers.length - gone} idle connections are open`)
  if (worker.isClosed) faults.push('a connection that was at work is closed')
  worker.close()
  return faults
}
