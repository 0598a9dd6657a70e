import { spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { readyLine } from '../../src/cli/serve.ts'

const main = new URL('../../src/cli/main.js', import.meta.url).pathname

const run = (...words: string[]) => {
  const ran = spawnSync(process.execPath, [main, ...words], { encoding: 'utf8' })
  return { code: ran.status, out: ran.stdout, err: ran.stderr }
}

test('the ready line names address, shards and data directory', (t) => {
  const broker = {
    host: '127.0.0.1',
    port: 9092,
    shards: 1,
    dataDir: '/d',
    profile: 'strict' as const,
  }
  t.is(readyLine(broker), 'odradek ready on 127.0.0.1:9092, 1 shard, data in /d, profile strict\n')
  t.is(
    readyLine({ ...broker, host: '::1', shards: 2 }),
    'odradek ready on [::1]:9092, 2 shards, data in /d, profile strict\n',
  )
})

test('a wrong value is one sentence and exit code 1', (t) => {
  t.deepEqual(run('serve', '--set', 'num.partitions=many'), {
    code: 1,
    out: '',
    err: 'odradek: Invalid value many for configuration num.partitions: Not a number of type INT\n',
  })
})

test('a missing file is one sentence and exit code 1', (t) => {
  t.deepEqual(run('serve', '--config', '/nowhere/x.properties'), {
    code: 1,
    out: '',
    err: 'odradek: There is no file /nowhere/x.properties\n',
  })
})

test('a file of settings is read as Java reads it', (t) => {
  const path = join(mkdtempSync(join(tmpdir(), 'odradek-')), 'server.properties')
  writeFileSync(path, '# comment\nnum.partitions : \\\n  none\n')
  t.regex(
    run('serve', '--config', path).err,
    /Invalid value none for configuration num\.partitions/,
  )
})

test('help and version are answered', (t) => {
  t.regex(run('serve', '--help').out, /--data-dir <directory>/)
  t.regex(run('--version').out, /^\d+\.\d+\.\d+\n$/)
})

test('what the command does not know is one sentence and exit code 1', (t) => {
  t.deepEqual(run('serve', '--prot', '1'), {
    code: 1,
    out: '',
    err: "odradek: unknown option '--prot'; did you mean --port?\n",
  })
  t.deepEqual(run('serve', '9092'), {
    code: 1,
    out: '',
    err: "odradek: too many arguments for 'serve'. Expected 0 arguments but got 1.\n",
  })
  t.is(run('server').err, "odradek: unknown command 'server'; did you mean serve?\n")
})
