import test from 'ava'
import fc from 'fast-check'
import {
  isUuid,
  uuidFromBytes,
  uuidFromHex,
  uuidToBytes,
  uuidToHex,
  ZERO_UUID,
} from '../../src/base/uuid.ts'

test('a uuid is the base64url of its bytes and goes back to them', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (array) => {
      const bytes = Buffer.from(array)
      const text = uuidFromBytes(bytes, 0)
      const back = Buffer.alloc(20, 0xaa)
      uuidToBytes(text, back, 2)
      return (
        text === bytes.toString('base64url') &&
        isUuid(text) &&
        back.subarray(2, 18).equals(bytes) &&
        uuidFromHex(uuidToHex(text)) === text
      )
    }),
  )
  t.is(uuidFromBytes(Buffer.alloc(16), 0), ZERO_UUID)
})

test('many uuids that fall on one place of the cache stay apart', (t) => {
  const bytes = Array.from({ length: 100 }, (_, i) => {
    const b = Buffer.alloc(16)
    b.writeInt32BE(i << 20, 0)
    return b
  })
  for (const round of [1, 2]) {
    for (const b of bytes) t.is(uuidFromBytes(b, 0), b.toString('base64url'), `round ${round}`)
  }
})

test('text that is no uuid is asserted against', (t) => {
  const to = Buffer.alloc(16)
  for (const text of ['', 'AAAA', 'A'.repeat(21), 'A'.repeat(23), `${'A'.repeat(21)}!`]) {
    t.false(isUuid(text))
    t.throws(() => uuidToBytes(text, to, 0), { name: 'AssertionError' })
  }
  t.false(isUuid(`${'A'.repeat(21)}B`), 'bits behind the 16 bytes')
})
