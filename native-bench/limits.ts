/** What this machine can do: the physical limits that the benches are compared with. */
import fs from 'node:fs'
import net from 'node:net'
import { MessageChannel } from 'node:worker_threads'
import { crc32c } from '@node-rs/crc32'
import { GrowingFile, KIB, MIB, type Place, type Suite } from './harness.ts'

const SMALL_COPIES = 1000

export async function limits({ directory }: Place): Promise<Suite> {
  const source = Buffer.alloc(MIB, 'odradek ')
  const target = Buffer.alloc(MIB)
  const small = source.subarray(0, KIB)
  const large = new GrowingFile(directory, 'limit-large')
  const little = new GrowingFile(directory, 'limit-small')
  const synced = new GrowingFile(directory, 'limit-synced', MIB)
  const both = new GrowingFile(directory, 'limit-crc')
  const warm = new GrowingFile(directory, 'limit-warm')
  for (let i = 0; i < 32; i++) warm.append(source)
  const loop = await loopback()
  const posted = pingPong()
  let at = 0
  const readAt = (bytes: number) => {
    at = (at + MIB) % (32 * MIB)
    fs.readSync(warm.fd, target, 0, bytes, at)
  }
  return {
    tasks: [
      { name: 'memcpy 1 MiB', bytes: MIB, run: () => void source.copy(target) },
      {
        name: 'memcpy 1 KiB',
        bytes: KIB,
        times: SMALL_COPIES,
        run: () => {
          for (let i = 0; i < SMALL_COPIES; i++) source.copy(target, i * KIB, 0, KIB)
        },
      },
      { name: 'crc32c 1 MiB', bytes: MIB, run: () => void crc32c(source) },
      { name: 'pwrite 1 MiB', bytes: MIB, run: () => large.append(source) },
      { name: 'pwrite 1 KiB', bytes: KIB, run: () => little.append(small) },
      {
        name: 'crc32c and pwrite 1 MiB',
        bytes: MIB,
        run: () => {
          crc32c(source)
          both.append(source)
        },
      },
      { name: 'pread 1 MiB', bytes: MIB, run: () => readAt(MIB) },
      { name: 'pread 16 KiB', bytes: 16 * KIB, run: () => readAt(16 * KIB) },
      { name: 'pread 4 KiB', bytes: 4 * KIB, run: () => readAt(4 * KIB) },
      {
        name: 'pwrite 1 KiB and fdatasync',
        run: () => {
          synced.append(small)
          fs.fdatasyncSync(synced.fd)
        },
      },
      { name: 'loopback 1 MiB', bytes: MIB, run: () => loop.send(source) },
      { name: 'message port, same thread', run: () => posted.pass() },
    ],
    close() {
      for (const file of [large, little, synced, both, warm]) file.close()
      loop.close()
      posted.close()
    },
  }
}

/** A connection with both ends on this thread; `send` resolves when all bytes came. */
async function loopback(): Promise<{ send(bytes: Buffer): Promise<void>; close(): void }> {
  let waiting = 0
  let arrived = () => {}
  const into = Buffer.alloc(64 * KIB)
  const server = net.createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  const accepted = new Promise<net.Socket>((resolve) => server.once('connection', resolve))
  const reader = net.connect({
    port,
    host: '127.0.0.1',
    onread: {
      buffer: into,
      callback: (n) => {
        waiting -= n
        if (waiting === 0) arrived()
        return true
      },
    },
  })
  const writer = await accepted
  return {
    send: (bytes) => {
      waiting = bytes.length
      return new Promise((resolve) => {
        arrived = resolve
        writer.write(bytes)
      })
    },
    close: () => {
      reader.destroy()
      writer.destroy()
      server.close()
    },
  }
}

/** A message port with both ends on this thread. */
function pingPong(): { pass(): Promise<void>; close(): void } {
  const { port1, port2 } = new MessageChannel()
  let passed = () => {}
  port2.on('message', () => passed())
  return {
    pass: () =>
      new Promise((resolve) => {
        passed = resolve
        port1.postMessage(null)
      }),
    close: () => port1.close(),
  }
}
