/** Ports of loopback for brokers that are told theirs before they start. */
import { randomInt } from 'node:crypto'
import { createServer, type Server } from 'node:net'

/**
 * Below those that the system gives to clients: one that connects while the broker is away could
 * get the broker's port, and then nobody else can listen there.
 */
const PORTS_FROM = 20_000
const PORTS_TO = 32_000

/** A port that nobody listens on now; with `count` as many in a row, of which it is the first. */
export async function freePort(count = 1): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS_FROM, PORTS_TO)
    const asked = Array.from({ length: count }, (_, i) => listen(port + i))
    const servers = await Promise.all(asked)
    await Promise.all(servers.map((server) => server && close(server)))
    if (!servers.includes(undefined)) return port
  }
}

function listen(port: number): Promise<Server | undefined> {
  return new Promise((done) => {
    const server = createServer().once('error', () => done(undefined))
    server.listen(port, '127.0.0.1', () => done(server))
  })
}

function close(server: Server): Promise<void> {
  return new Promise((done) => server.close(() => done()))
}
