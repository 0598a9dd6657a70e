import test from 'ava'
import { nearest } from '../../src/base/nearest.ts'

const words = ['log.retention.hours', 'log.retention.minutes', 'num.partitions']

test('a misspelt word finds the one that was meant', (t) => {
  t.is(nearest('log.retention.hour', words), 'log.retention.hours')
  t.is(nearest('num.partition', words), 'num.partitions')
  t.is(nearest('num.partitoins', words), 'num.partitions')
})

test('a word that is far from all finds none', (t) => {
  t.is(nearest('zzz', words), undefined)
  t.is(nearest('completely.different', words), undefined)
  t.is(nearest('x', []), undefined)
})
