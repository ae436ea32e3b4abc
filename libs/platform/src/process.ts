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
