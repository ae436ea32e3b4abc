import { messageOf } from './errors.js';

/**
 * How stopping is timed, in milliseconds since it was asked for; each step leaves the one before it room to finish.
 * The gateway cancels answers still under way, and closes their rows, ...
 */
export const CANCEL_ANSWERS_AFTER_MS = 7_000;
/** ... a child whose supervisor has died gives up stopping in good order, ... */
const EXIT_AFTER_MS = 10_000;
/** ... and a supervisor ends a child that has not stopped. */
export const KILL_AFTER_MS = 12_000;

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
export function exitWithParent(stop: () => Promise<void>, deadlineMs = EXIT_AFTER_MS): void {
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
