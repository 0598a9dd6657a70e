/** Messages for the person who runs the broker; the shell decides where they go. */

/** Facts beside a message, such as a topic or an error text. */
export type LogFields = Readonly<Record<string, unknown>>

/** One method per severity. A message is one sentence without what `fields` say. */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}
