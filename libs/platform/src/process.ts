import { messageOf } from './errors.js';

/** What a child process tells the supervisor over the IPC channel. */
export type ChildMessage =
  /** Something that takes over a second, in words for people: `downloading the model (41 %)`. */
  | { type: 'progress'; text: string }
  /** Starting it again would not help: a broken model folder, an unreachable database. The process exits after this. */
  | { type: 'failed'; message: string };

/** Shows progress where `npm start` runs; does nothing in a process that was started by hand. */
export function reportProgress(text: string): void {
  tellParent({ type: 'progress', text });
}

/**
 * Ends a process that cannot start, with the sentence for people. For the catch around everything in `main.ts`:
 * `run().catch(exitWithSentence)`.
 */
export function exitWithSentence(error: unknown): void {
  const message = messageOf(error);
  process.exitCode = 1;
  if (!process.connected) process.stderr.write(`${message}\n`);
  tellParent({ type: 'failed', message }, () => process.exit(1));
}

/**
 * Ends this process when its parent is gone. The supervisor starts every child with an IPC channel; the operating
 * system closes the channel when the supervisor dies, however it dies (kill -9 too), and Node reports that as
 * `disconnect`. Without a channel (started by hand, in a container) nothing happens.
 * @param stop stops the process in good order; afterwards, or after `deadlineMs`, it exits with status 1
 */
export function exitWithParent(stop: () => Promise<void>, deadlineMs = 10_000): void {
  if (!process.connected) return;
  process.once('disconnect', () => {
    setTimeout(() => process.exit(1), deadlineMs).unref();
    void stop()
      .catch(() => undefined)
      .finally(() => process.exit(1));
  });
  // The channel alone must not keep a process alive that has nothing else to do.
  process.channel?.unref();
}

function tellParent(message: ChildMessage, then: () => void = () => undefined): void {
  if (process.connected && process.send) process.send(message, then);
  else then();
}
