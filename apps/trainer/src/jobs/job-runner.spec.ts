import { setTimeout as sleep } from 'node:timers/promises';
import type { ClaimedJob, Notifications, TuningJob, TuningRepository } from '@attune/persistence';
import { createLogger, systemClock, UnavailableError } from '@attune/platform';
import { describe, expect, it } from 'vitest';
import { TrainerMetrics } from '../health/trainer-metrics.js';
import { DivergedError } from './divergence.js';
import { JobRunner } from './job-runner.js';
import type { SavedStates } from './saved-states.js';
import type { TuningRun } from './tuning-run.js';

type Run = (signal: AbortSignal) => Promise<string>;

/** Works off one job, and tells what was written down about it; `verdict` is what its heartbeats hear. */
async function workedOff(
  run: Run,
  verdict: 'continue' | 'cancel' | 'pause' | 'lost' = 'continue',
  shutDown = false,
  takenOver = false,
) {
  const done: string[] = [];
  const said: string[] = [];
  const note = (what: string) => async () => void done.push(what);
  let queue = [{ id: 'job_a', attempt: 2, takenOver, config: {} } as ClaimedJob];
  const tuning = {
    claim: async () => queue.pop() ?? null,
    heartbeat: async () => verdict,
    appendEvents: async (_: string, events: { message: string }[]) =>
      void said.push(...events.map(({ message }) => message)),
    appendMetrics: async () => undefined,
    progress: async () => undefined,
    finish: note('finished'),
    fail: async (_: string, __: string, why: string) => void done.push(`failed: ${why}`),
    requestPause: note('pause requested'),
    markPaused: note('paused'),
    markCancelled: note('cancelled'),
    release: note('released'),
  } as unknown as TuningRepository;
  const heard = new Map<string, () => void>();
  const notifications = {
    listen: (channel: string, hear: () => void) => heard.set(channel, hear),
    start: () => undefined,
  };
  const states = { sweep: async () => undefined, forget: note('state dropped') } as unknown as SavedStates;
  const metrics = new TrainerMetrics();
  const runner = new JobRunner(
    tuning,
    notifications as unknown as Notifications,
    { run: async (_: TuningJob, __: unknown, signal: AbortSignal) => run(signal) } as unknown as TuningRun,
    states,
    metrics,
    systemClock,
    createLogger('spec', 'silent'),
  );
  runner.onApplicationBootstrap();
  await sleep(20);
  for (const hear of heard.values()) hear();
  await sleep(20);
  if (!shutDown) await expect.poll(() => done.length).toBeGreaterThan(0);
  await runner.beforeApplicationShutdown();
  queue = [];
  return { done, said };
}

const untilStopped: Run = (signal) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('the run was cancelled'))));
const diskFull = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });

describe('a job that ends', () => {
  it('well: is written down before its state is dropped', async () => {
    expect(await workedOff(async () => 'ckpt_a')).toMatchObject({ done: ['finished', 'state dropped'] });
  });
  it('for want of room: waits, its state kept, and says how it goes on', async () => {
    const { done, said } = await workedOff(async () => {
      throw new UnavailableError('state-2 could not be written: the disk is full', { cause: diskFull });
    });
    expect(done).toEqual(['pause requested', 'paused']);
    expect(said).toEqual([
      'state-2 could not be written: the disk is full',
      'Paused until there is room; free some space, then resume the job',
    ]);
  });
  it('by a fault: fails with the reason and leaves nothing; a diverged one leaves its last good state', async () => {
    const fail = (error: Error) =>
      workedOff(async () => {
        throw error;
      });
    expect((await fail(new Error('no such file'))).done).toEqual(['failed: no such file', 'state dropped']);
    expect((await fail(new DivergedError('the loss is no number'))).done).toEqual(['failed: the loss is no number']);
  });
  it.each([
    ['cancel', ['cancelled', 'state dropped']],
    ['pause', ['paused']],
  ] as const)('because people asked for it, as soon as that is announced: %s', async (verdict, done) => {
    expect((await workedOff(untilStopped, verdict)).done).toEqual(done);
  });
  it('with its trainer: is given back with its state', async () => {
    expect((await workedOff(untilStopped, 'continue', true)).done).toEqual(['released']);
  });
  it('says at its beginning when the attempt before ended without a word, and not when it was stopped', async () => {
    const { said } = await workedOff(async () => 'ckpt_a', 'continue', false, true);
    expect(said).toEqual(['Attempt 2: the trainer before stopped while it worked on this job']);
    expect((await workedOff(async () => 'ckpt_a')).said).toEqual([]);
  });
  it('for this trainer, since another has it: is left alone', async () => {
    expect((await workedOff(untilStopped, 'lost', true)).done).toEqual([]);
  });
});
