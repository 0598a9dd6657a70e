/** Kafka's own command line tools, each as its script starts it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kafkaTool } from './clients.ts'
import { shareTools } from './groups/share-tools.ts'
import { groupTools } from './groups/tools.ts'
import { check, expect, run } from './program.ts'
import { attempt, servers, tool } from './tool.ts'

const TOPIC = 'tooled'
const directory = mkdtempSync(join(tmpdir(), 'odradek-tools-'))
function topics(): void {
  const created = `^Created topic ${TOPIC}\\.$`
  check('topics-create', () => {
    const sizes = ['--partitions', '3', '--replication-factor', '1']
    const configs = ['--config', 'retention.ms=3600000']
    tool(
      'TopicCommand',
      ['--create', '--topic', TOPIC, ...sizes, ...configs],
      new RegExp(created, 'm'),
    )
  })
  check('topics-list', () => {
    tool('TopicCommand', ['--list'], new RegExp(`^${TOPIC}$`, 'm'))
  })
  check('topics-describe', () => {
    const described =
      /PartitionCount: 3\s.*Configs:.*retention\.ms=3600000[\s\S]*Partition: 2\s.*Isr: 1/
    tool('TopicCommand', ['--describe', '--topic', TOPIC], described)
  })
  check('topics-alter', () => {
    tool('TopicCommand', ['--alter', '--topic', TOPIC, '--partitions', '4'], /^/)
    tool('TopicCommand', ['--describe', '--topic', TOPIC], /PartitionCount: 4\s/)
  })
  check('topics-create-twice-refused', () => {
    const { code, out } = attempt('TopicCommand', ['--create', '--topic', TOPIC])
    expect(code === 1 && out.includes('already exists'), () => `ended ${code}: ${out}`)
  })
}

function configs(): void {
  const config = (args: string[], pattern: RegExp) =>
    tool('kafka.admin.ConfigCommand', args, pattern)
  check('configs-topic', () => {
    const entity = ['--entity-type', 'topics', '--entity-name', TOPIC]
    const added = ['--alter', '--add-config', 'segment.ms=70000,cleanup.policy=[compact,delete]']
    config([...entity, ...added], /^Completed updating config for topic tooled\.$/m)
    config([...entity, '--describe'], /cleanup\.policy=compact,delete [\s\S]*segment\.ms=70000 /)
    config([...entity, '--alter', '--delete-config', 'segment.ms,cleanup.policy'], /^Completed/m)
  })
  check('configs-broker', () => {
    const entity = ['--entity-type', 'brokers', '--entity-name', '1']
    config([...entity, '--alter', '--add-config', 'message.max.bytes=2000000'], /^Completed/m)
    config([...entity, '--describe'], /message\.max\.bytes=2000000 .*DYNAMIC_BROKER_CONFIG/)
    config([...entity, '--describe', '--all'], /node\.id=1 [\s\S]*num\.partitions=1 /)
    config([...entity, '--alter', '--delete-config', 'message.max.bytes'], /^Completed/m)
  })
  check('configs-broker-defaults', () => {
    const entity = ['--entity-type', 'brokers', '--entity-default']
    config([...entity, '--alter', '--add-config', 'log.retention.ms=86400000'], /^Completed/m)
    config([...entity, '--describe'], /log\.retention\.ms=86400000 .*DYNAMIC_DEFAULT_BROKER_CONFIG/)
    config([...entity, '--alter', '--delete-config', 'log.retention.ms'], /^Completed/m)
  })
  check('configs-bad-value-refused', () => {
    const entity = ['--entity-type', 'brokers', '--entity-default']
    const args = [...entity, '--alter', '--add-config', 'message.max.bytes=many']
    const { code, out, err } = attempt('kafka.admin.ConfigCommand', args)
    expect(code === 1 && /Invalid value many/.test(out + err), () => `ended ${code}: ${out}${err}`)
  })
}

function records(): void {
  const place = ['--topic', TOPIC, '--partition', '0']
  check('console-producer', () => {
    const keyed = ['--reader-property', 'parse.key=true', '--reader-property', 'key.separator=:']
    const input = Array.from({ length: 20 }, (_, i) => `k:value ${i}\n`).join('')
    tool('ConsoleProducer', ['--topic', TOPIC, ...keyed, '--compression-codec', 'zstd'], /^/, input)
  })
  check('console-consumer', () => {
    const partition = partitionOfKeyK()
    const from = ['--topic', TOPIC, '--partition', partition, '--offset', 'earliest']
    const shown = ['--formatter-property', 'print.key=true', '--timeout-ms', '5000']
    const { out } = tool('consumer.ConsoleConsumer', [...from, ...shown], /^k\tvalue 0$/m)
    expect(out.trimEnd().split('\n').length === 20, () => out)
  })
  check('get-offsets', () => {
    tool(
      'GetOffsetShell',
      ['--topic', TOPIC],
      new RegExp(`^${TOPIC}:${partitionOfKeyK()}:20$`, 'm'),
    )
    tool(
      'GetOffsetShell',
      ['--topic', TOPIC, '--time', 'earliest'],
      new RegExp(`^${TOPIC}:0:0$`, 'm'),
    )
  })
  check('delete-records', () => {
    const partition = partitionOfKeyK()
    const wanted = { topic: TOPIC, partition: Number(partition), offset: 5 }
    const file = jsonFile({ partitions: [wanted], version: 1 })
    const answer = new RegExp(`${TOPIC}-${partition}\\s+low_watermark: 5`)
    tool('DeleteRecordsCommand', ['--offset-json-file', file], answer)
  })
  check('producer-perf-test', () => {
    const size = ['--num-records', '500', '--record-size', '100', '--throughput', '-1']
    tool('ProducerPerformance', ['--topic', TOPIC, ...size], /^500 records sent/m)
  })
  check('verifiable-producer', () => {
    const { out } = tool(
      'VerifiableProducer',
      ['--topic', TOPIC, '--max-messages', '10'],
      /"acked":10/,
    )
    expect(!out.includes('producer_send_error'), () => out)
  })
  check('log-dirs', () => {
    const { out } = tool(
      'LogDirsCommand',
      ['--describe', '--topic-list', TOPIC],
      /"partition":"tooled-0"/,
    )
    expect(/"error":null/.test(out), () => out)
  })
  check('describe-producers', () => {
    const { out } = tool('TransactionsCommand', ['describe-producers', ...place], /^ProducerId\s/m)
    expect(out.includes('LastSequence'), () => out)
  })
}

/** What a transactional producer leaves behind, and how one that hangs is ended by hand. */
function transactions(): void {
  const id = ['--transactional-id', 'perf']
  check('transactions-list', () => {
    const size = ['--num-records', '100', '--record-size', '10', '--throughput', '-1']
    const rounds = ['--transactional-id', 'perf', '--transaction-duration-ms', '100']
    tool('ProducerPerformance', ['--topic', TOPIC, ...size, ...rounds], /^100 records sent/m)
    tool('TransactionsCommand', ['list'], /^perf\s+1\s+\d+\s+CompleteCommit/m)
  })
  check('transactions-describe', () => {
    const described = /^1\s+perf\s+\d+\s+\d+\s+CompleteCommit\s/m
    tool('TransactionsCommand', ['describe', ...id], described)
  })
  check('transactions-find-hanging', () => {
    tool('TransactionsCommand', ['find-hanging', '--broker-id', '1'], /^Topic\s/m)
  })
}

/** The partition that got the console producer's records. */
function partitionOfKeyK(): string {
  const { out } = tool('GetOffsetShell', ['--topic', TOPIC], /:20$/m)
  return /:(\d):20$/m.exec(out)?.[1] ?? ''
}

function cluster(): void {
  check('broker-api-versions', () => {
    tool('BrokerApiVersionsCommand', [], /\(id: 1 .*\[usable: /s)
  })
  check('leader-election', () => {
    const args = ['--election-type', 'preferred', '--topic', TOPIC, '--partition', '0']
    tool('LeaderElectionCommand', args, /Valid replica already elected|Successfully completed/)
  })
  check('reassign-partitions', () => {
    const name = 'reassign.ReassignPartitionsCommand'
    tool(name, ['--list'], /No partition reassignments found\./)
    const partitions = [{ topic: TOPIC, partition: 0, replicas: [1], log_dirs: ['any'] }]
    const plan = jsonFile({ version: 1, partitions })
    tool(name, ['--verify', '--reassignment-json-file', plan], /tooled-0 is completed/)
  })
  check('metadata-quorum', () => {
    const status = /ClusterId:\s+\S+[\s\S]*LeaderId:\s+1\b[\s\S]*CurrentVoters:/
    tool('MetadataQuorumCommand', ['describe', '--status'], status)
    tool('MetadataQuorumCommand', ['describe', '--replication'], /^1\s.*Leader/m)
  })
  check('cluster-id', () => {
    // The one tool that wants the address behind its command.
    const { code, out, err } = run([...kafkaTool('ClusterTool'), 'cluster-id', ...servers])
    expect(code === 0 && /^Cluster ID: \S{22}$/m.test(out), () => `ended ${code}: ${out}${err}`)
  })
  check('features', () => {
    tool('FeatureCommand', ['describe'], /Feature: metadata\.version/)
  })
  check('topics-delete', () => {
    tool('TopicCommand', ['--delete', '--topic', TOPIC], /^/)
    const { out } = tool('TopicCommand', ['--list'], /^/)
    expect(!out.split('\n').includes(TOPIC), () => out)
  })
}

/** A file for a tool that reads what to do. */
function jsonFile(plan: object): string {
  const file = join(directory, 'plan.json')
  writeFileSync(file, JSON.stringify(plan))
  return file
}

topics()
configs()
records()
transactions()
cluster()
groupTools()
shareTools()
rmSync(directory, { recursive: true })
