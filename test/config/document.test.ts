import { readdirSync, readFileSync } from 'node:fs'
import test from 'ava'
import { getProperties } from 'properties-file'
import { allBrokerConfigs, brokerChapters, brokerConfigs } from '../../src/config/broker.ts'
import { checkBroker } from '../../src/config/check.ts'
import { configReference, serverProperties } from '../../src/config/document.ts'
import { staticLayers } from '../../src/config/effective.ts'

const folder = new URL('../../../config/', import.meta.url)
const read = (name: string) => readFileSync(new URL(name, folder), 'utf8')

test('the generated documents are fresh; `npm run generate` writes them', (t) => {
  t.true(read('server.properties') === serverProperties(), 'config/server.properties is stale')
  t.true(read('README.md') === configReference(), 'config/README.md is stale')
})

test('every setting of the broker is in the sample file exactly once', (t) => {
  const names = [...serverProperties().matchAll(/^#([\w.]+)=/gm)].map((match) => match[1])
  t.deepEqual(names.sort(), [...allBrokerConfigs().keys()].sort())
})

test('every setting with an effect has its chapter', (t) => {
  const inChapters = Object.values(brokerChapters).flatMap((settings) => Object.keys(settings))
  t.deepEqual(inChapters.sort(), Object.keys(brokerConfigs).sort())
})

test('the sample file with its marks removed starts the broker as it is', (t) => {
  const text = serverProperties().replace(/^#(?=[\w.]+=.)/gm, '')
  const report = checkBroker(staticLayers(getProperties(text)))
  t.deepEqual(report.faults, [])
  t.deepEqual(report.unknown, [])
})

test('every key of a profile is obeyed', (t) => {
  const profiles = readdirSync(new URL('profiles/', folder))
  t.deepEqual(profiles.sort(), [
    'dev.properties',
    'durable.properties',
    'throughput.properties',
    'tiny.properties',
  ])
  for (const profile of profiles) {
    const report = checkBroker(staticLayers(getProperties(read(`profiles/${profile}`))))
    t.deepEqual(report, { faults: [], unknown: [], inert: [] }, profile)
  }
})
