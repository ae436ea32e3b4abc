import { setTimeout as sleep } from 'node:timers/promises';

const ASK_EVERY_MS = 100;

/** Resolves when the gateway says that a chat would be served; rejects with the signal's reason when that is aborted. */
export async function waitUntilReady(url: string, signal: AbortSignal): Promise<void> {
  while (!(await isReady(url, signal))) await sleep(ASK_EVERY_MS);
}

async function isReady(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]) });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
