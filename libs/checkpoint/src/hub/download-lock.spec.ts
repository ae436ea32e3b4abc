import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ownName } from '../owner.js';
import { withLock } from './download-lock.js';

/** Longer than it takes to see that a holder is gone, far shorter than a silent one is waited for. */
const SOON_MS = 2_000;
const [place, pid, start] = ownName().split('-');

let folder: string;
let lock: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'attune lock '));
  lock = path.join(folder, 'model.lock');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const taken = () => withLock(lock, AbortSignal.timeout(SOON_MS), async () => 'taken');

it('lets one at a time work, and leaves nothing behind', async () => {
  let [working, most] = [0, 0];
  const work = async () => {
    most = Math.max(most, ++working);
    await sleep(20);
    working -= 1;
  };
  await Promise.all([1, 2, 3].map(() => withLock(lock, undefined, work)));
  expect(most).toBe(1);
  expect(await readdir(folder)).toEqual([]);
});

it('takes over from a process that is gone, though another has its number now', async () => {
  await writeFile(lock, `${place}-${pid}-${Number(start) - 1}`);
  expect(await taken()).toBe('taken');
});

it('waits for one that runs, and for one on another host as long as its beat is fresh', async () => {
  for (const holder of [ownName(), `00000000-${pid}-${start}`]) {
    await writeFile(lock, holder);
    await expect(taken()).rejects.toMatchObject({ name: 'AbortError' });
  }
});
