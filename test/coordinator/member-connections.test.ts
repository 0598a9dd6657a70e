/** Which connections speak for which members, where there are too many. */
import test from 'ava'
import { MemberConnections } from '../../src/coordinator/group/member-connections.ts'

const place = (memberId: number) => ({ groupId: 'g', memberId: String(memberId) })

test('of more members than a connection may have, those silent for longest are forgotten', (t) => {
  const connections = new MemberConnections()
  const connection = connections.of('0:1')
  for (let member = 0; member < 1000; member++) connections.note(connection, place(member))
  connections.note(connection, place(0))
  connections.note(connection, place(1000))
  t.true(connections.has(place(0)))
  t.false(connections.has(place(1)))
  t.is(connection.members.size, 1000)
  t.is(connections.close('0:1', 'client').length, 1000)
  t.false(connections.has(place(0)))
})

test('a connection that nobody knows, or that was closed, leaves nobody behind', (t) => {
  const connections = new MemberConnections()
  t.deepEqual(connections.close('0:1', 'client'), [])
  connections.note(connections.of('0:1'), place(1))
  connections.note(connections.of('1:1'), place(1))
  connections.closeThread(0)
  t.true(connections.has(place(1)))
  t.deepEqual(connections.close('0:1', 'client'), [])
  t.deepEqual(connections.close('1:1', 'client'), [place(1)])
})
