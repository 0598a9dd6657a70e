import test from 'ava'
import fc from 'fast-check'
import {
  allocateRing,
  assertLayout,
  FRAMES_AT,
  frameBytes,
  HEAD_AT,
  TAIL_AT,
} from '../../src/ring/layout.ts'
import { RingReader, RingWriter } from '../../src/ring/ring.ts'

type Frame = { type: number; flags: number; actor: number; correlation: number; payload: number[] }

function ringAt(start: number): { writer: RingWriter; reader: RingReader } {
  const memory = allocateRing(1024)
  const positions = new Int32Array(memory, 0, FRAMES_AT / 4)
  positions[TAIL_AT / 4] = start
  positions[HEAD_AT / 4] = start
  return { writer: new RingWriter(memory), reader: new RingReader(memory) }
}

function write(writer: RingWriter, frame: Frame, leave: number): boolean {
  const { type, flags, actor, correlation, payload } = frame
  return writer.tryWrite(
    type,
    flags,
    actor,
    correlation,
    Uint8Array.from(payload),
    payload.length,
    leave,
  )
}

function read(reader: RingReader, limit: number): Frame[] {
  const frames: Frame[] = []
  reader.poll((type, flags, actor, correlation, bytes, at, length) => {
    frames.push({ type, flags, actor, correlation, payload: [...bytes.subarray(at, at + length)] })
  }, limit)
  return frames
}

const u32 = fc.integer({ min: 0, max: 0xffffffff })
const arbitraryFrame = fc.record({
  type: fc.integer({ min: 1, max: 0xffff }),
  flags: fc.integer({ min: 0, max: 0xffff }),
  actor: u32,
  correlation: u32,
  payload: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 112 }),
})
const arbitraryStep = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ frame: arbitraryFrame, leave: fc.integer({ min: 0, max: 300 }) }),
  },
  fc.record({ limit: fc.integer({ min: 0, max: 12 }) }),
)
// Near the places where int32 positions wrap as well as anywhere else.
const arbitraryStart = fc.oneof(
  fc.constantFrom(0, 0x7ffffff8, -8, 0x7ffffc00, -1024),
  fc.integer({ min: -(2 ** 28), max: 2 ** 28 - 1 }).map((eighth) => eighth * 8),
)

test('a ring gives back every frame once, in order, wherever it wraps', (t) => {
  const property = fc.property(
    arbitraryStart,
    fc.array(arbitraryStep, { maxLength: 200 }),
    (start, steps) => {
      const { writer, reader } = ringAt(start)
      const model: Frame[] = []
      for (const step of steps) {
        if ('limit' in step) {
          t.deepEqual(read(reader, step.limit), model.splice(0, step.limit))
          continue
        }
        const before = writer.free()
        const wrote = write(writer, step.frame, step.leave)
        const needed = frameBytes(step.frame.payload.length) + step.leave
        if (wrote) {
          model.push(step.frame)
          t.true(writer.free() >= step.leave, 'what must stay free stays free')
        } else {
          t.is(writer.free(), before, 'a refused frame takes nothing')
          t.true(
            before < needed + frameBytes(step.frame.payload.length),
            'refused only without room',
          )
        }
        t.is(reader.isEmpty(), model.length === 0)
      }
      t.deepEqual(read(reader, steps.length), model)
      t.true(reader.isEmpty())
    },
  )
  t.notThrows(() => fc.assert(property, { numRuns: 300 }))
})

test('claimed frames are seen only after publish, all at once', (t) => {
  const { writer, reader } = ringAt(-16)
  for (let i = 1; i <= 3; i++) {
    const at = writer.tryClaim(i, 0, 0, 0, 4, 0)
    writer.bytes.writeUInt32LE(i, at)
  }
  t.is(read(reader, 10).length, 0)
  writer.publish()
  t.deepEqual(
    read(reader, 10).map((frame) => frame.payload[0]),
    [1, 2, 3],
  )
})

test('more than an eighth of the ring is refused loudly, and so is the padding type', (t) => {
  const { writer } = ringAt(0)
  t.is(writer.payloadBytesMax, 112)
  t.throws(() => writer.tryClaim(1, 0, 0, 0, 113, 0), { message: /eighth/ })
  t.throws(() => writer.tryClaim(0, 0, 0, 0, 8, 0), { message: /padding/ })
})

test('a frame whose handler throws is not read again', (t) => {
  const { writer, reader } = ringAt(0)
  for (const type of [1, 2]) writer.tryWrite(type, 0, 0, 0, new Uint8Array(8), 8, 0)
  const failing = () => {
    throw new Error('ours')
  }
  t.throws(() => reader.poll(failing, 10), { message: 'ours' })
  t.deepEqual(
    read(reader, 10).map((frame) => frame.type),
    [2],
  )
})

test('a reader that is closed inside a handler reads nothing more', (t) => {
  const { writer, reader } = ringAt(0)
  for (const type of [1, 2]) writer.tryWrite(type, 0, 0, 0, new Uint8Array(8), 8, 0)
  t.is(
    reader.poll(() => reader.close(), 10),
    1,
  )
  t.is(
    reader.poll(() => t.fail(), 10),
    0,
  )
})

test('a layout whose fields overlap or whose line has two writers is refused', (t) => {
  const head = { at: 0, bytes: 4, writer: 'consumer' }
  t.throws(() => assertLayout([head, { at: 2, bytes: 4, writer: 'consumer' }]))
  t.throws(() => assertLayout([head, { at: 64, bytes: 4, writer: 'producer' }]), {
    message: /one writer/,
  })
  t.notThrows(() => assertLayout([head, { at: 128, bytes: 4, writer: 'producer' }]))
})

test('a ring has a power of two of bytes', (t) => {
  t.throws(() => allocateRing(3000), { message: /power of two/ })
  t.throws(() => allocateRing(512), { message: /at least/ })
})
