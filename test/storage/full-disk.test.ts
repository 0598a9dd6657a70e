import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { mountSmallDisk } from '../support/small-disk.ts'
import type { Report } from './full-disk.process.ts'

const PROCESS = fileURLToPath(new URL('./full-disk.process.js', import.meta.url))
const DISK_BYTES = 6 * 1024 * 1024

test('a full disk fails what is written to LMDB, and ends no process', async (t) => {
  const disk = mountSmallDisk(DISK_BYTES)
  if (disk === undefined) {
    t.log('NOT RUN: no small file system can be mounted here')
    t.pass()
    return
  }
  t.teardown(() => disk.unmount())
  const child = spawn(process.execPath, [PROCESS, disk.directory], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [said, complained, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  t.deepEqual([code, signal], [0, null], complained.slice(-500))
  const report = JSON.parse(said) as Report
  t.log(report)
  t.true(report.indexFailures > 0 && report.metadataFailures > 0)
  t.is(report.found, report.kept)
})
