import test from 'ava'
import { rehearseProducer } from '../../src/client/rehearsal.ts'

test('the stand-in knows all that a producer asks for', async (t) => {
  t.true(await rehearseProducer())
})
