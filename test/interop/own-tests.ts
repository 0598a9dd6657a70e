/**
 * Tests that the makers of franz-go wrote for it and run against Kafka: those of package kgo that
 * talk to a broker. `own-tests.js TEST_BINARY BOOTSTRAP`
 */
import { spawnSync } from 'node:child_process'
import { report } from './program.ts'

const [binary = '', seeds = ''] = process.argv.slice(2)

/** All that need a broker, but for SASL. */
const names = [
  'Test848RegexBrokerResolves',
  'TestAddRemovePartitions',
  'TestClient_Produce',
  'TestClient_ProduceLargeMessages',
  'TestConsumeMaxDecompressBatchBytes',
  'TestConsumeRegex',
  'TestConsumeRegexShareSkipsInternal',
  'TestConsumeTopicRetrieval',
  'TestConsumeTopicRetrieval_Many',
  'TestDirectPartitionPurge',
  'TestGroupETL',
  'TestGroupSimple',
  'TestHookPollStart',
  'TestIssue1034',
  'TestIssue325',
  'TestIssue337',
  'TestIssue434',
  'TestIssue523',
  'TestIssue648',
  'TestIssue769',
  'TestIssue810',
  'TestIssue831',
  'TestIssue865',
  'TestIssueFetchLargerThanBrokerMaxReadBytes',
  'TestPauseIssue489',
  'TestPauseIssueOct2023',
  'TestPing',
  'TestPooling',
  'TestShareGroup',
  'TestShareGroupAckOnClose',
  'TestShareGroupETL',
  'TestShareGroupOffsetsAdmin',
  'TestTxnEtl',
  'TestUnknownGroupOffsetFetchPinned',
]

const settings = { KGO_SEEDS: seeds, KGO_TEST_RF: '1', KGO_TEST_RECORDS: '20000' }
const { stdout } = spawnSync(binary, ['-test.v', '-test.run', `^(${names.join('|')})$`], {
  env: { ...process.env, ...settings },
  timeout: 170_000,
  maxBuffer: 1 << 28,
})
const output = String(stdout)
for (const name of names) {
  const [, verdict] = new RegExp(`^--- (\\w+): ${name} `, 'm').exec(output) ?? []
  const detail = verdict === undefined ? 'did not end' : linesOf(name)
  report(name, verdict === 'PASS' ? '' : `${verdict}: ${detail}`)
}

/** What a test said, as far as it bears its name: tests run side by side. */
function linesOf(name: string): string {
  const from = output.indexOf(`--- FAIL: ${name} `)
  return from < 0 ? '' : output.slice(from, from + 1000)
}
