import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tuningJobConfig } from '@attune/contracts';
import {
  AccountRepository,
  CheckpointRepository,
  CompletionRepository,
  ConversationRepository,
  FeedbackRepository,
  type TuningJob,
  TuningRepository,
} from '@attune/persistence';
import { createRandom } from '@attune/platform';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { noModel, testModel } from '../support/gateway.js';
import { newCompletion, outcome } from '../support/rows.js';
import { coresOf, policyOf, threadsOf } from '../support/threads.js';
import { startTestTrainer, type TestTrainer, type TestTrainerOptions } from '../support/trainer.js';

const MINUTE = 60_000;
/** Long enough that the kills fall into it on any machine. */
const NUM_STEPS = 150;
const NUM_KILLS = 3;
const KILL_SEED = 20_261_122;
const config = tuningJobConfig.parse({
  stages: ['sft'],
  lora: { rank: 4, targets: ['q_proj', 'v_proj'] },
  sft: { epochs: 1000, max_steps: NUM_STEPS, batch_size: 2, replay_share: 0.5 },
  gate: { suite_examples_per_family: 1 },
});

const short = { ...config, sft: { ...config.sft, max_steps: 10 } };

/** Saves all the time, so that the kill finds something to go on from; nothing goes live, so that both jobs start alike. */
const env = { TRAINER_SAVE_SECONDS: '0.1', TUNING_AUTO_PROMOTE: 'false' };

const mount = (...parameters: string[]) => execFileSync('mount', parameters, { stdio: 'pipe' });
const unmount = (folder: string) => execFileSync('umount', [folder], { stdio: 'pipe' });

/** Runs `work` with a disk of that size at `folder`. */
async function withDisk<T>(folder: string, size: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(folder, { recursive: true });
  mount('-t', 'tmpfs', '-o', `size=${size}`, 'attune-spec', folder);
  try {
    return await work();
  } finally {
    unmount(folder);
  }
}

/** Small disks are made by the system's administrator alone. */
function canMount(): boolean {
  const folder = mkdtempSync(path.join(tmpdir(), 'attune-mount-'));
  try {
    mount('-t', 'tmpfs', '-o', 'size=64k', 'attune-spec', folder);
    unmount(folder);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const LOWEST_PRIORITY = 19;
/** SCHED_IDLE of linux/sched.h: runs where nobody else wants to. */
const WHEN_IDLE = 5;
/** What the threads of a process have, each once. */
const threadPriorities = (pid: number) => [...new Set(threadsOf(pid).map((thread) => getPriority(thread)))];
const threadPolicies = (pid: number) => [...new Set(threadsOf(pid).map(policyOf))];
const threadCores = (pid: number) => [...new Set(threadsOf(pid).flatMap(coresOf))];

describe.skipIf(!testModel)(`a trainer that is killed (${testModel ? 'for real' : noModel})`, () => {
  let database: TestDatabase;
  let dataDir: string;
  let tuning: TuningRepository;
  let trainer: TestTrainer | undefined;
  const start = (options: Pick<TestTrainerOptions, 'ownSession' | 'env'> = {}) =>
    startTestTrainer({ databaseUrl: database.url, dataDir, model: testModel!, env, ...options });

  beforeAll(async () => {
    database = await createTestDatabase();
    dataDir = mkdtempSync(path.join(tmpdir(), 'attune-trainer-'));
    tuning = new TuningRepository(database.dataSource);
    await approveCorrections(database, 12);
  });
  afterAll(async () => {
    await trainer?.stop();
    await database?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it(
    'goes on from its last saved state, kill after kill, and ends with the very weights of an undisturbed run',
    async () => {
      trainer = start();
      const undisturbed = await finished(await tuning.enqueue({ trigger: 'button', config }));

      const { id } = await tuning.enqueue({ trigger: 'button', config });
      const random = createRandom(KILL_SEED);
      for (let kill = 1; kill <= NUM_KILLS; kill++) {
        // At any step, and at any moment within it: training, writing the state, or telling the database.
        const saves = numSaves(id) + 1 + random.int(4);
        await until('the job has saved its state', async () => numSaves(id) >= saves);
        await sleep(random.int(40));
        await trainer.kill();
        expect(await tuning.get(id)).toMatchObject({ status: 'running', attempt: kill });
        trainer = start();
        await until('the job is taken up again', async () => (await tuning.get(id)).attempt > kill);
      }
      const resumed = await finished(await tuning.get(id));
      expect(resumed.attempt).toBe(NUM_KILLS + 1);
      const messages = (await tuning.events(id)).map(({ message }) => message);
      const goneOn = messages.flatMap((message) => /^Going on with stage sft at step (\d+)$/.exec(message)?.[1] ?? []);
      expect(Math.max(...goneOn.map(Number)), messages.join('\n')).toBeGreaterThan(0);
      expect(await sftSteps(id)).toEqual(Array.from({ length: NUM_STEPS }, (_, step) => step));
      expect(await digestOf(database, resumed)).toBe(await digestOf(database, undisturbed));
    },
    4 * MINUTE,
  );

  it(
    'pauses with its state kept, leaves the queue to others, and ends with the same weights once resumed',
    async () => {
      trainer ??= start();
      const undisturbed = await finished(await tuning.enqueue({ trigger: 'button', config }));
      const { id } = await tuning.enqueue({ trigger: 'button', config });
      await until('the job has saved its state', async () => numSaves(id) > 2);
      await tuning.requestPause(id);
      await until('the job is paused', async () => (await tuning.get(id)).status === 'paused');
      expect((await tuning.events(id)).at(-1)).toMatchObject({ message: 'Paused' });

      await finished(await tuning.enqueue({ trigger: 'button', config: short }));

      await tuning.requestResume(id);
      const resumed = await finished(await tuning.get(id));
      expect(resumed.attempt).toBe(1);
      expect(await sftSteps(id)).toEqual(Array.from({ length: NUM_STEPS }, (_, step) => step));
      expect(await digestOf(database, resumed)).toBe(await digestOf(database, undisturbed));
    },
    4 * MINUTE,
  );

  it(
    'stops a job within a step when it is cancelled, and says so',
    async () => {
      trainer ??= start();
      const endless = { ...config, sft: { ...config.sft, epochs: 1e6, max_steps: 0 } };
      const { id } = await tuning.enqueue({ trigger: 'button', config: endless });
      await until('the job has begun', async () => ((await tuning.get(id)).progress?.step ?? 0) > 0);
      await tuning.cancel(id);
      const job = await finished(await tuning.get(id));
      expect(job).toMatchObject({ status: 'cancelled', checkpointId: null });
      expect((await tuning.events(id)).at(-1)).toMatchObject({ level: 'warn', message: 'Cancelled' });
    },
    MINUTE,
  );

  it(
    'publishes once, and the same weights, although it is killed while it publishes',
    async () => {
      trainer ??= start();
      const undisturbed = await finished(await tuning.enqueue({ trigger: 'button', config: short }));
      const { id } = await tuning.enqueue({ trigger: 'button', config: short });
      const folder = path.join(dataDir, 'checkpoints');
      const before = readdirSync(folder).length;
      while (readdirSync(folder).length === before) await sleep(1);
      await trainer.kill();
      expect((await tuning.get(id)).status).toBe('running');
      trainer = start();
      const published = await finished(await tuning.get(id));
      expect(await digestOf(database, published)).toBe(await digestOf(database, undisturbed));
      expect(readdirSync(folder).filter((name) => !name.startsWith('.'))).toHaveLength(before + 1);
      const ofJob = 'select id from checkpoint where job_id = $1';
      expect(await database.dataSource.query(ofJob, [id])).toEqual([{ id: published.checkpointId }]);
    },
    2 * MINUTE,
  );

  it.skipIf(!canMount())(
    'waits with what it has saved while the disk is full, and ends with the same weights once there is room',
    async () => {
      trainer ??= start();
      const undisturbed = await finished(await tuning.enqueue({ trigger: 'button', config: short }));
      const disk = path.join(dataDir, 'training');
      const { id } = await withDisk(disk, '64k', async () => {
        const job = await tuning.enqueue({ trigger: 'button', config: short });
        await until('the job is paused', async () => (await tuning.get(job.id)).status === 'paused');
        const told = (await tuning.events(job.id)).map(({ message }) => message);
        expect(told.at(-2)).toContain('the disk is full; free some space');
        expect(told.at(-1)).toBe('Paused until there is room; free some space, then resume the job');
        mount('-o', 'remount,size=64m', disk);
        await tuning.requestResume(job.id);
        return finished(await tuning.get(job.id));
      });
      expect(await digestOf(database, await tuning.get(id))).toBe(await digestOf(database, undisturbed));
    },
    2 * MINUTE,
  );

  it.skipIf(!existsSync('/proc/self/autogroup'))(
    'stands back with every thread, and with all of its session when that is its own',
    async () => {
      await trainer?.stop();
      trainer = start({ ownSession: true, env: { TRAINER_NICE: String(LOWEST_PRIORITY) } });
      const { pid } = trainer;
      await until('its group is lowered', async () =>
        readFileSync(`/proc/${pid}/autogroup`, 'utf8').includes('nice 19'),
      );
      // Graphs run on threads that were there before it could say how nice it is: each of them must have been told.
      expect(threadPriorities(pid)).toEqual([LOWEST_PRIORITY]);
      expect(threadPolicies(pid)).toEqual([WHEN_IDLE]);
      // Graphs have one thread here, so one core is used.
      expect(threadCores(pid)).toHaveLength(1);
      expect(readFileSync('/proc/self/autogroup', 'utf8')).not.toContain('nice 19');
      await trainer.stop();
      trainer = undefined;
    },
    MINUTE,
  );

  async function sftSteps(jobId: string): Promise<number[]> {
    const steps = (await tuning.metrics(jobId)).filter(({ stage }) => stage === 'sft').map(({ step }) => step);
    return steps.toSorted((a, b) => a - b);
  }

  /** The first save is of the dataset, every later one of training. */
  function numSaves(jobId: string): number {
    const folder = path.join(dataDir, 'training', jobId);
    const saves = existsSync(folder) ? readdirSync(folder) : [];
    return Math.max(0, ...saves.map((name) => Number(/^state-(\d+)\.safetensors$/.exec(name)?.[1] ?? 0)));
  }

  async function finished(job: TuningJob): Promise<TuningJob> {
    await until('the job has ended', async () => !['queued', 'running'].includes((await tuning.get(job.id)).status));
    const ended = await tuning.get(job.id);
    expect(ended.error).toBeNull();
    return ended;
  }

  /** The adapter of the job's checkpoint, as the rows and the folder on disk name it. */
  async function digestOf({ dataSource }: TestDatabase, { checkpointId }: TuningJob): Promise<string> {
    const checkpoint = await new CheckpointRepository(dataSource).get(checkpointId!);
    const manifest = path.join(dataDir, 'checkpoints', checkpointId!, 'manifest.json');
    expect(JSON.parse(readFileSync(manifest, 'utf8')).adapterDigest).toBe(checkpoint.adapterDigest);
    return checkpoint.adapterDigest!;
  }
});

async function approveCorrections({ dataSource }: TestDatabase, count: number): Promise<void> {
  const accounts = new AccountRepository(dataSource);
  const user = await accounts.createUser({ name: 'Ursula', role: 'user' });
  const reviewer = await accounts.createUser({ name: 'Rita', role: 'reviewer' });
  const completions = new CompletionRepository(dataSource);
  const feedback = new FeedbackRepository(dataSource);
  for (let i = 0; i < count; i++) {
    const conversation = await new ConversationRepository(dataSource).findOrCreate(
      `conv_resume${i}`,
      user.id,
      'A word',
    );
    const row = newCompletion(user, conversation.id);
    await completions.open({ ...row, messages: [{ role: 'user', content: `Say the word ${i}.` }] });
    await completions.close(row.id, outcome);
    const correction = { type: 'correction', completion_id: row.id, text: `word ${i}` } as const;
    const { id } = await feedback.record(user.id, correction);
    await feedback.review(id, reviewer.id, { verdict: 'approve' });
  }
}

async function until(what: string, isSo: () => Promise<boolean>, withinMs = 2 * MINUTE): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`still not so after ${withinMs} ms: ${what}`);
    await sleep(20);
  }
}
