import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownName, stateOf } from '../owner.js';

/** A holder says that it lives this often; one that has not for the longer time is taken for dead. */
const BEAT_MS = 5_000;
const DEAD_AFTER_MS = 30_000;
const LOOK_MS = 250;

/**
 * Lets one process at a time work on a download: gateway and trainer start together and need the same model. The lock
 * is a file whose modification time is kept fresh, which holds between containers that share a volume too; that the
 * holder's process is gone is noticed at once on the same host.
 */
export async function withLock<T>(file: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  while (!(await create(file, ownName()))) {
    if (await isDead(file)) await rm(file, { force: true });
    else await sleep(LOOK_MS, undefined, { signal });
  }
  const beat = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => undefined), BEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    await rm(file, { force: true });
  }
}

async function create(file: string, holder: string): Promise<boolean> {
  try {
    await writeFile(file, holder, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function isDead(file: string): Promise<boolean> {
  const info = await stat(file).catch(() => undefined);
  if (!info) return false;
  if (Date.now() - info.mtimeMs > DEAD_AFTER_MS) return true;
  const holder = await readFile(file, 'utf8').catch(() => '');
  return stateOf(holder) === 'gone';
}
