import odradek = require('odradek')

import { Broker } from 'odradek'

async function main(): Promise<void> {
  const broker: odradek.Broker = await Broker.start()
  const port: number = (await broker.listen()).length
  console.log(port)
  await broker.stop()
}

void main()
