/**
 * Does `work` after each of the delays until it succeeds; keeps no process alive. Never throws.
 * @param onFailure told of each failure
 * @returns whether it succeeded
 */
export async function tryAgain(
  delaysMs: readonly number[],
  work: () => Promise<unknown>,
  onFailure: (error: unknown) => void,
): Promise<boolean> {
  for (const delayMs of delaysMs) {
    await new Promise<void>((resolve) => setTimeout(resolve, delayMs).unref());
    try {
      await work();
      return true;
    } catch (error) {
      onFailure(error);
    }
  }
  return false;
}
