/** Runs Kafka's own command line tools against the broker. */
import { kafkaTool } from './clients.ts'
import { bootstrap, expect, type Output, run } from './program.ts'

/** How nearly every tool is told of the broker. */
export const servers: readonly string[] = ['--bootstrap-server', bootstrap]

/** Runs a tool that has to succeed and whose output has to match. */
export function tool(name: string, args: readonly string[], pattern: RegExp, input = ''): Output {
  const output = attempt(name, args, input)
  const all = `${name} ${args.join(' ')} ended ${output.code}: ${output.out}\n${output.err}`
  expect(output.code === 0, () => all)
  expect(pattern.test(output.out), () => `no ${pattern} from ${all}`)
  return output
}

/** Runs a tool that may fail. */
export function attempt(name: string, args: readonly string[], input = ''): Output {
  return run([...kafkaTool(name), ...servers, ...args], input)
}
