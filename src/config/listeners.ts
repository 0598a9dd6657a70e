/** Listener addresses: `NAME://host:port`. */
import type { ConfigValue } from './define.ts'

/** One address to listen on, or to tell to clients. */
export interface Listener {
  /** In capitals, as Kafka compares them. */
  readonly name: string
  /** Empty: all interfaces. IPv6 addresses come without brackets. */
  readonly host: string
  /** 0: any free port. */
  readonly port: number
}

const pattern = /^([A-Za-z0-9._-]+):\/\/(\[[0-9A-Fa-f:.%]*\]|[^:/[\]]*):(\d{1,5})$/

/** Parses one address; undefined if it is none. */
export function parseListener(text: string): Listener | undefined {
  const match = pattern.exec(text.trim())
  if (!match) return undefined
  const [, name = '', host = '', port = ''] = match
  if (Number(port) > 65_535) return undefined
  return { name: name.toUpperCase(), host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}

/** The text of an address; IPv6 gets its brackets. */
export function formatListener(of: { name: string; host: string; port: number | string }): string {
  const host = of.host.includes(':') && !of.host.startsWith('[') ? `[${of.host}]` : of.host
  return `${of.name}://${host}:${of.port}`
}

/** Parses addresses that were checked before; wrong ones are left out. */
export function parseListeners(texts: readonly string[]): readonly Listener[] {
  return texts.flatMap((text) => parseListener(text) ?? [])
}

/** The check of `listeners` and `advertised.listeners`. */
export function listenersFault(value: ConfigValue): string | undefined {
  const texts = value as readonly string[]
  if (texts.length === 0) return 'There must be at least one listener'
  const names = new Set<string>()
  for (const text of texts) {
    const listener = parseListener(text)
    if (!listener) return `${text} is not of the form name://host:port`
    if (names.has(listener.name)) return `The name ${listener.name} occurs twice`
    names.add(listener.name)
  }
  return undefined
}

const protocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']

/** The check of `listener.security.protocol.map`. */
export function protocolMapFault(value: ConfigValue): string | undefined {
  for (const item of (value as string).split(',')) {
    const [name, protocol, ...rest] = item.split(':').map((part) => part.trim())
    if (!name || !protocol || rest.length > 0) return `${item} is not of the form name:protocol`
    if (!protocols.includes(protocol)) return `There is no security protocol ${protocol}`
  }
  return undefined
}

/** Listener names in capitals to their security protocol. */
export function parseProtocolMap(text: string): ReadonlyMap<string, string> {
  const map = new Map<string, string>()
  for (const item of text.split(',')) {
    const [name = '', protocol = ''] = item.split(':')
    map.set(name.trim().toUpperCase(), protocol.trim())
  }
  return map
}
