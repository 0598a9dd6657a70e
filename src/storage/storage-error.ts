/**
 * A disk or index operation failed. The owning actor goes offline; clients see KAFKA_STORAGE_ERROR.
 */
export class StorageError extends Error {
  /** The operating system's code, such as ENOSPC, when there is one. */
  readonly code: string | undefined

  constructor(what: string, cause?: unknown) {
    const reason = cause instanceof Error ? `: ${cause.message}` : ''
    super(`${what}${reason}`, { cause })
    this.name = 'StorageError'
    this.code = (cause as NodeJS.ErrnoException | undefined)?.code
  }
}
