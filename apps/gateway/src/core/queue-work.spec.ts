import type { Claim } from '@attune/persistence';
import { createLogger, UnavailableError } from '@attune/platform';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { HeldClaim, untilNoneIsLeft } from './queue-work.js';

interface Job {
  name: string;
  claim: Claim;
}
const never = new AbortController().signal;
const claimOf = (attempts = 1, lastError: string | null = null): Claim => ({
  key: [],
  owner: 'me',
  attempts,
  lastError,
});

/** A queue in memory that writes down what happens to its jobs. */
function queueOf(
  jobs: Job[],
  work: (job: Job, held: HeldClaim, stopping: AbortSignal) => Promise<void>,
  { status = 'in_progress' as string | null, turnMs = 60_000, othersWait = false } = {},
) {
  const told: string[] = [];
  const nameOf = (claim: Claim) => jobs.find((job) => job.claim === claim)!.name;
  let next = 0;
  const run = untilNoneIsLeft<Job>({
    name: 'test',
    logger: createLogger('test', 'silent'),
    claims: {
      renew: async () => status,
      giveBack: async (claim) => void told.push(`${nameOf(claim)} given back`),
      putBack: async (claim, reason) => void told.push(`${nameOf(claim)} put back: ${reason}`),
      othersWait: async () => othersWait,
    },
    claim: async () => jobs[next++] ?? null,
    work,
    giveUp: async ({ name }, reason) => void told.push(`${name} given up: ${reason}`),
    turnMs,
  });
  return { run, told };
}
const broken = async () => {
  throw new Error('broken');
};

it('does one job after the other, whatever becomes of each', async () => {
  const jobs = ['a', 'b', 'c'].map((name) => ({ name, claim: claimOf() }));
  const { run, told } = queueOf(jobs, async ({ name }) => {
    if (name === 'b') throw new Error('broken');
  });
  await run(never);
  expect(told).toEqual(['a given back', 'b put back: broken', 'c given back']);
});

it('gives a job up at its third failure, or before a fourth begin', async () => {
  const failing = queueOf([{ name: 'a', claim: claimOf(3) }], broken);
  await failing.run(never);
  expect(failing.told).toEqual(['a given up: broken']);
  const begun: string[] = [];
  const jobs = [
    { name: 'a', claim: claimOf(4, 'was broken') },
    { name: 'b', claim: claimOf(4) },
  ];
  const killing = queueOf(jobs, async ({ name }) => void begun.push(name));
  await killing.run(never);
  expect(killing.told).toEqual(['a given up: was broken', expect.stringMatching(/^b given up: .*ended 3 times/)]);
  expect(begun).toEqual([]);
});

it('counts no attempt when something is only away, and gives the job back before the next', async () => {
  const away = new UnavailableError('restarting');
  const { run, told } = queueOf([{ name: 'a', claim: claimOf(3) }], async () => {
    throw away;
  });
  await expect(run(never)).rejects.toBe(away);
  expect(told).toEqual([]);
  await run(never);
  expect(told).toEqual(['a given back']);
});

it('counts an attempt that broke the engine', async () => {
  const { run, told } = queueOf([{ name: 'a', claim: claimOf(1) }], async () => {
    throw new UnavailableError('ended', { code: 'engine_failed' });
  });
  await run(never);
  expect(told).toEqual(['a put back: ended']);
});

it.each([
  [true, true],
  [false, false],
])('stops a long job when others wait (%s), and only then', async (othersWait, stops) => {
  let stopped: boolean | undefined;
  const work = async (_: Job, __: HeldClaim, stopping: AbortSignal) => {
    await sleep(80);
    stopped = stopping.aborted;
  };
  const { run } = queueOf([{ name: 'a', claim: claimOf() }], work, { turnMs: 10, othersWait });
  await run(never);
  expect(stopped).toBe(stops);
});

it('hears of a job that is no longer its own, and of what is asked of it', async () => {
  const seen: unknown[] = [];
  const work = async (_: Job, held: HeldClaim) => {
    await Promise.all([held.look(), held.look()]);
    seen.push(held.ours, held.cancelled, held.over.aborted);
  };
  await queueOf([{ name: 'a', claim: claimOf() }], work, { status: null }).run(never);
  await queueOf([{ name: 'a', claim: claimOf() }], work, { status: 'cancelling' }).run(never);
  await queueOf([{ name: 'a', claim: claimOf() }], work).run(never);
  expect(seen).toEqual([false, false, true, true, true, true, true, false, false]);
});

it('stays lost, whatever a renewal says that was under way', async () => {
  let answer: (status: string) => void = () => undefined;
  const held = new HeldClaim(() => new Promise((resolve) => (answer = resolve)), 60_000);
  const renewal = held.look();
  held.lost();
  answer('in_progress');
  await renewal;
  held.end();
  expect([held.ours, held.over.aborted]).toEqual([false, true]);
});

it('hears of a cancel although a renewal that began before it is under way', async () => {
  let answerEarly: (status: string) => void = () => undefined;
  const renew = vi
    .fn<() => Promise<string>>(async () => 'cancelling')
    .mockImplementationOnce(() => new Promise((resolve) => (answerEarly = resolve)));
  const held = new HeldClaim(renew, 60_000);
  const early = held.look();
  const looks = [held.look(), held.look()];
  answerEarly('in_progress');
  await early;
  await Promise.all(looks);
  held.end();
  expect([held.cancelled, renew.mock.calls.length]).toEqual([true, 2]);
});

it('looks again also where the renewal under way fails', async () => {
  const renew = vi.fn<() => Promise<string>>(async () => 'cancelling').mockRejectedValueOnce(new Error('away'));
  const held = new HeldClaim(renew, 60_000);
  const [early, late] = await Promise.allSettled([held.look(), held.look()]);
  held.end();
  expect([early.status, late.status, held.cancelled]).toEqual(['rejected', 'fulfilled', true]);
});
