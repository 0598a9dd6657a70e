#!/usr/bin/env node
/** The command `odradek`. */
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { prepareWorker } from '../broker/worker-pool.ts'
import { type ServeOptions, serve } from './serve.ts'

// Loading the broker's code takes longest: it begins while this thread reads its arguments.
if (process.argv[2] === 'serve' && !process.argv.includes('--help')) prepareWorker(true)

// The bundle lies one folder higher than this file's own compilation.
const packageFile = new URL(
  import.meta.url.endsWith('.cjs') ? '../../package.json' : '../../../package.json',
  import.meta.url,
)
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }

const program = new Command('odradek')
  .description('A Kafka broker in one process.')
  .version(version, '--version', 'print the version')
  .helpOption('--help', 'print this help')
  .configureOutput({ outputError: (text, write) => write(oneSentence(text)) })

program
  .command('serve')
  .description('run a broker until SIGINT or SIGTERM')
  .option('--config <file>', "settings in the format of Kafka's server.properties")
  .option('--host <host>', 'address to listen on (127.0.0.1)')
  .option('--port <port>', 'port to listen on (9092); 0 takes a free one')
  .option('--data-dir <directory>', 'where everything is kept (./odradek-data)')
  .option('--set <key=value>', 'any setting; may be given again', collect)
  .addHelpText(
    'after',
    `
Settings have Kafka's names. The command line wins over the environment
(KAFKA_LOG_RETENTION_HOURS=24 is log.retention.hours), that over the file, and
that over the defaults. config/README.md in the package lists all settings.`,
  )
  .action(async (options: ServeOptions) => {
    process.exitCode = await serve(options)
    // Whatever the broker left open must not keep a stopped process alive.
    process.exit()
  })

void program.parseAsync()

/** What the parser complains about, in the form of all other errors. */
function oneSentence(text: string): string {
  return text
    .replace(/^error: /, 'odradek: ')
    .replace(/\n\(Did you mean (.+)\?\)/, '; did you mean $1?')
}

function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value]
}
