/**
 * What the supervisor and its workers tell each other, over each worker's own port. Nothing of the
 * data path goes this way.
 */

import type { MessagePort } from 'node:worker_threads'
import type { Task, TaskOutcome } from '../actors/mailbox/task.ts'
import type { LogFields } from '../base/log.ts'
import type { PortWiring } from '../net/port-connections.ts'
import type { LinkWiring } from '../ring/wiring.ts'
import type { CodeQuestion } from './code-lending.ts'
import type { CompiledFile } from './code-loader.ts'
import type { ListenerPlan } from './shard.ts'
import type { ThreadOptions } from './thread.ts'

/** What a worker is started with. */
export interface WorkerOptions extends ThreadOptions {
  readonly logLevelIsDebug: boolean
}

/** To a worker. */
export type ToWorker =
  | { kind: 'start'; options: WorkerOptions }
  | { kind: 'listen'; plans: readonly ListenerPlan[] }
  | { kind: 'connect'; port: MessagePort; wiring: PortWiring }
  | { kind: 'reset' }
  | { kind: 'drain' }
  | { kind: 'stop' }
  | { kind: 'peer-lost'; peer: number }
  | { kind: 'rewire'; peer: number; link: LinkWiring }
  | { kind: 'task-done'; id: number; outcome: TaskOutcome }
  | { kind: 'lend-code'; question: CodeQuestion }

/** From a worker. */
export type FromWorker =
  | { kind: 'opened' }
  | { kind: 'listening'; ports: readonly number[] }
  | { kind: 'was-reset'; error: string | null }
  | { kind: 'drained' }
  | { kind: 'code'; code: readonly CompiledFile[] }
  /** `isSpare`: nothing of the broker is left in the thread, which waits for the next start. */
  | { kind: 'stopped'; code: readonly CompiledFile[]; isSpare: boolean }
  | { kind: 'task'; id: number; task: Task }
  | { kind: 'failed'; message: string; code: string | undefined }
  | {
      kind: 'log'
      severity: 'debug' | 'info' | 'warn' | 'error'
      message: string
      fields: LogFields
    }
