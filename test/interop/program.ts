/** What the programs in TypeScript have in common: checks as lines of JSON, and commands. */
import { spawnSync } from 'node:child_process'

/** The broker's address: the last argument of the program. */
export const bootstrap = process.argv.slice(2).at(-1) ?? '127.0.0.1:9092'

/** What a command printed. */
export interface Output {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs one check and prints how it ended. */
export function check(name: string, body: () => void): void {
  try {
    body()
    report(name, '')
  } catch (error) {
    report(name, String(error))
  }
}

/** The same for a check that waits for other processes. */
export async function checkAsync(name: string, body: () => Promise<void>): Promise<void> {
  try {
    await body()
    report(name, '')
  } catch (error) {
    report(name, String(error))
  }
}

/** Prints how a check ended: well where there is no detail. */
export function report(name: string, detail: string): void {
  console.log(JSON.stringify({ check: name, ok: detail === '', detail }))
}

/** Fails the check when the condition does not hold. */
export function expect(condition: boolean, why: () => string): void {
  if (!condition) throw new Error(why().slice(0, 1000))
}

/** Runs a command to its end, whatever that is. */
export function run(argv: readonly string[], input = ''): Output {
  const [command = '', ...args] = argv
  const settings = { input, timeout: 60_000, maxBuffer: 1 << 26 }
  const { status, stdout, stderr } = spawnSync(command, args, settings)
  return { code: status, out: String(stdout), err: String(stderr) }
}
