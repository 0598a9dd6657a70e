/**
 * Compiled code from a worker that serves to one that is being made. A worker gives its code when
 * it stops; until the first one does, others ask one that runs. It answers while Node makes the new
 * worker, whose loading must not wait for an event loop: so it waits for a flag, then looks into
 * its port.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { CompiledFile } from './code-loader.ts'

/** The lender answers before the new worker has begun, unless it is busy. */
const WAIT_MS = 20

/** One end of a question for code. */
export interface CodeQuestion {
  readonly port: MessagePort
  /** int32: 1 when the answer lies in the port. */
  readonly answered: SharedArrayBuffer
}

/** A question: the end of who answers, and that of who waits. */
export function askForCode(): { readonly lender: CodeQuestion; readonly borrower: CodeQuestion } {
  const { port1, port2 } = new MessageChannel()
  const answered = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
  return { lender: { port: port1, answered }, borrower: { port: port2, answered } }
}

/** On the worker that serves. */
export function lendCode({ port, answered }: CodeQuestion, code: readonly CompiledFile[]): void {
  port.postMessage(code)
  const flag = new Int32Array(answered)
  Atomics.store(flag, 0, 1)
  Atomics.notify(flag, 0)
  port.close()
}

/** On the worker that is made; nothing when the lender is busy or gone. */
export function borrowCode({ port, answered }: CodeQuestion): readonly CompiledFile[] {
  Atomics.wait(new Int32Array(answered), 0, 0, WAIT_MS)
  const received = receiveMessageOnPort(port)?.message as readonly CompiledFile[] | undefined
  port.close()
  return received ?? []
}
