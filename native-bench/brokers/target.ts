/** The brokers that are measured: processes of this machine that listen, and what they consume. */
import fs from 'node:fs'

/** Clock ticks of /proc in a second. */
const TICKS = 100
const LISTENS = '0A'

/** A broker that runs. */
export interface Target {
  readonly name: string
  readonly port: number
  readonly pid: number
}

/** `NAME=HOST:PORT`, of this machine. */
export function targetOf(text: string): Target {
  const [, name, , port] = /^(?:(.+)=)?([^=]*):(\d+)$/.exec(text) ?? []
  if (port === undefined) throw new Error(`${text} is not NAME=HOST:PORT`)
  return { name: name ?? text, port: Number(port), pid: listenerOf(Number(port)) }
}

/** Seconds of processor time that the process has taken, in all its threads. */
export function cpuSeconds({ pid }: Target): number {
  const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** Resident memory, MiB. */
export function residentMiB({ pid }: Target): number {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024
}

/** Whoever has the socket that listens on this port. */
function listenerOf(port: number): number {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  const inodes = new Set<string>()
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of fs.readFileSync(table, 'utf8').split('\n').slice(1)) {
      const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/)
      const isIt = state === LISTENS && local.endsWith(`:${wanted}`)
      if (isIt && inode !== undefined) inodes.add(`socket:[${inode}]`)
    }
  }
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const files = fs.readdirSync(`/proc/${pid}/fd`)
      const links = files.map((fd) => fs.readlinkSync(`/proc/${pid}/fd/${fd}`))
      if (links.some((link) => inodes.has(link))) return Number(pid)
    } catch {
      // The process or its file went meanwhile, or is somebody else's.
    }
  }
  throw new Error(`nobody listens on port ${port} here`)
}
