import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { UnavailableError } from '@attune/platform';
import { ownName, stateOf } from './owner.js';

/**
 * Files that are either wholly there or not at all: written beside their place, synced, then renamed into it.
 * A process killed at any point leaves the old content, and at most a temporary entry that the next one sweeps.
 */

/** Runs `write` on a temporary path and puts the finished file in place of `file`. */
export async function replaceFile(file: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = temporaryPath(file);
  await explained(file, async () => {
    await mkdir(path.dirname(file), { recursive: true });
    try {
      await write(temporary);
      await sync(temporary);
      await rename(temporary, file);
      await sync(path.dirname(file));
    } finally {
      await rm(temporary, { force: true });
    }
  });
}

/**
 * Runs `fill` on a temporary folder and puts it in place of `folder`. Where `folder` exists already, there is a moment
 * between two renames in which it is not there; an immutable folder (a checkpoint) never meets that case.
 */
export async function replaceFolder(folder: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = temporaryPath(folder);
  const retired = temporaryPath(folder);
  await explained(folder, async () => {
    try {
      await mkdir(temporary, { recursive: true });
      await fill(temporary);
      await syncTree(temporary);
      await renameIfThere(folder, retired);
      await rename(temporary, folder);
      await sync(path.dirname(folder));
    } finally {
      await rm(temporary, { recursive: true, force: true });
      await rm(retired, { recursive: true, force: true });
    }
  });
}

/** Gives `work` a folder of its own beside `place`, which is gone afterwards. */
export async function withTemporaryFolder<T>(place: string, work: (temporary: string) => Promise<T>): Promise<T> {
  const temporary = temporaryPath(place);
  try {
    await mkdir(temporary, { recursive: true });
    return await work(temporary);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

const TEMPORARY = /^\..+\.([0-9a-f]{8}-\d+-\d+)\.[0-9a-f]{12}\.tmp$/;
/** Nobody writes for so long: what another host left is given up then, for nothing else can be known of its owner. */
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;

/** Removes temporary entries of processes that are gone; any number of processes may do so at once. */
export async function sweepLeftovers(folder: string): Promise<void> {
  const entries = await readdir(folder).catch(() => []);
  for (const entry of entries) {
    const owner = TEMPORARY.exec(entry)?.[1];
    const place = path.join(folder, entry);
    if (owner && (await isAbandoned(owner, place))) await rm(place, { recursive: true, force: true });
  }
}

async function isAbandoned(owner: string, place: string): Promise<boolean> {
  const state = stateOf(owner);
  if (state !== 'elsewhere') return state === 'gone';
  const info = await stat(place).catch(() => null);
  return info !== null && Date.now() - info.mtimeMs > ABANDONED_AFTER_MS;
}

function temporaryPath(target: string): string {
  const name = `.${path.basename(target)}.${ownName()}.${randomBytes(6).toString('hex')}.tmp`;
  return path.join(path.dirname(target), name);
}

async function sync(target: string): Promise<void> {
  const handle = await open(target, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const inside = path.join(folder, entry.name);
    await (entry.isDirectory() ? syncTree(inside) : sync(inside));
  }
  await sync(folder);
}

async function renameIfThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space',
  EDQUOT: 'the disk quota is used up; free some space',
  EFBIG: 'the file would be larger than this system allows; raise the limit',
  EROFS: 'the disk is read-only; choose another DATA_DIR',
  EACCES: 'this user may not write there; choose another DATA_DIR or change its owner',
  EPERM: 'this user may not write there; choose another DATA_DIR or change its owner',
};

/** Turns what the operating system says into a sentence; what was there before is still there. */
async function explained(target: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const reason = REASONS[(error as NodeJS.ErrnoException).code ?? ''];
    if (!reason) throw error;
    throw new UnavailableError(`${target} could not be written: ${reason}`, { cause: error, code: 'storage' });
  }
}
