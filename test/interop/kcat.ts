/**
 * kcat (librdkafka) as a user types it. It has no admin commands, so its topics are created by use,
 * and it always reads with assigned partitions.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const bootstrap = process.argv[2] ?? '127.0.0.1:9092'

function check(name: string, body: () => void): void {
  let detail = ''
  try {
    body()
  } catch (error) {
    detail = String(error)
  }
  console.log(JSON.stringify({ check: name, ok: detail === '', detail }))
}

function expect(condition: boolean, why: () => string): void {
  if (!condition) throw new Error(why().slice(0, 500))
}

function kcat(args: readonly string[], input: string | Buffer = ''): Buffer {
  const run = spawnSync('kcat', ['-b', bootstrap, ...args], {
    input,
    timeout: 30_000,
    maxBuffer: 1 << 26,
  })
  expect(run.status === 0, () => `kcat ${args.join(' ')} ended ${run.status}: ${run.stderr}`)
  return run.stdout
}

function expectRead(args: readonly string[], expected: string): void {
  const read = kcat(['-C', '-q', '-e', ...args]).toString()
  expect(read === expected, () => `read ${JSON.stringify(read)} for ${JSON.stringify(expected)}`)
}

const lines = (count: number): string =>
  Array.from({ length: count }, (_, i) => `record ${i} ${'x'.repeat(i % 500)}\n`).join('')

check('metadata', () => {
  const listed = JSON.parse(kcat(['-L', '-J']).toString()) as { brokers: { name: string }[] }
  expect(listed.brokers[0]?.name === bootstrap, () => JSON.stringify(listed))
})

for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
  check(`codec-${codec}`, () => {
    const topic = `codec-${codec}`
    const settings = ['-X', 'linger.ms=20', '-X', 'max.in.flight=1']
    kcat(['-P', '-t', topic, '-z', codec, ...settings], lines(1000))
    expectRead(['-t', topic, '-o', 'beginning'], lines(1000))
  })
}

for (const acks of ['0', '1', 'all']) {
  check(`acks-${acks}`, () => {
    kcat(['-P', '-t', `acks-${acks}`, '-X', `acks=${acks}`], lines(100))
    expectRead(['-t', `acks-${acks}`, '-p', '0', '-o', 'beginning'], lines(100))
  })
}

check('idempotent', () => {
  const settings = ['-X', 'enable.idempotence=true', '-X', 'batch.num.messages=10']
  kcat(['-P', '-t', 'idempotent', ...settings], lines(2000))
  expectRead(['-t', 'idempotent', '-o', 'beginning'], lines(2000))
})

check('keys-nulls-and-headers', () => {
  kcat(['-P', '-t', 'shapes', '-K', ':', '-Z'], 'k:v\n:null key\nnull value:\n:\n')
  kcat(['-P', '-t', 'shapes', '-H', 'a=1', '-H', 'b=', '-H', 'c', '-H', 'a=2'], 'headed\n')
  const format = ['-f', '%o %K %k %S %s [%h]\\n']
  const nulls =
    '0 1 k 1 v []\n1 -1 NULL 8 null key []\n2 10 null value -1 NULL []\n3 -1 NULL -1 NULL []\n'
  expectRead(
    ['-t', 'shapes', '-o', 'beginning', '-Z', ...format],
    `${nulls}4 -1 NULL 6 headed [a=1,b=,c=NULL,a=2]\n`,
  )
})

check('record-of-almost-1-MiB', () => {
  const directory = mkdtempSync(join(tmpdir(), 'odradek-kcat-'))
  const file = join(directory, 'record')
  writeFileSync(file, 'y'.repeat(1_048_000))
  try {
    kcat(['-P', '-t', 'large', '-X', 'message.max.bytes=2000000', file])
  } finally {
    rmSync(directory, { recursive: true })
  }
  expectRead(['-t', 'large', '-o', 'beginning'], `${'y'.repeat(1_048_000)}\n`)
})

check('offsets-by-position', () => {
  kcat(['-P', '-t', 'positions'], lines(10))
  expectRead(['-t', 'positions', '-o', '-2', '-f', '%o\\n'], '8\n9\n')
  expectRead(['-t', 'positions', '-o', '4', '-c', '3', '-f', '%o\\n'], '4\n5\n6\n')
  expectRead(['-t', 'positions', '-o', 'end'], '')
})

check('offsets-by-time', () => {
  const times = kcat(['-C', '-q', '-e', '-t', 'positions', '-o', '0', '-f', '%T\\n'])
  const [first = ''] = times.toString().split('\n')
  const query = (at: string) =>
    kcat(['-Q', '-t', `positions:0:${at}`])
      .toString()
      .trim()
  expect(query(first) === 'positions [0] offset 0', () => query(first))
  expect(query('-1') === 'positions [0] offset 10', () => query('-1'))
  expect(query('-2') === 'positions [0] offset 0', () => query('-2'))
  expectRead(['-t', 'positions', '-o', `s@${first}`, '-f', '%o\\n', '-c', '1'], '0\n')
})
