import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CheckpointStore, readModelFolder } from '@attune/checkpoint';
import { tuningJobConfig } from '@attune/contracts';
import { CheckpointRepository, type TuningJob, TuningRepository } from '@attune/persistence';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { noModel, testModel } from '../support/gateway.js';
import { startTestTrainer, type TestTrainer } from '../support/trainer.js';

const MINUTE = 60_000;
const words = Array.from({ length: 24 }, (_, i) => `word ${i}`);
const preferences = words.map((word) => ({ prompt: `Say the ${word}.`, chosen: word, rejected: `no ${word}` }));

/** A few steps on rows of a file; nothing goes live. */
const job = (overrides: object) =>
  tuningJobConfig.parse({
    data: { feedback: false, files: [{ path: 'preferences.jsonl' }] },
    sft: { max_steps: 3, batch_size: 4 },
    reward: { max_steps: 3, batch_size: 4 },
    dpo: { max_steps: 3, batch_size: 4 },
    kto: { max_steps: 3, batch_size: 4 },
    grpo: { iterations: 1, prompts_per_iteration: 2, group_size: 2, max_answer_tokens: 8 },
    gate: { suite_examples_per_family: 1, max_suite_drop: 1 },
    ...overrides,
  });

describe.skipIf(!testModel)(`every way of tuning (${testModel ? 'for real' : noModel})`, () => {
  let database: TestDatabase;
  let dataDir: string;
  let tuning: TuningRepository;
  let trainer: TestTrainer | undefined;
  const start = (env: Record<string, string> = {}) =>
    startTestTrainer({
      databaseUrl: database.url,
      dataDir,
      model: testModel!,
      env: { TUNING_AUTO_PROMOTE: 'false', ...env },
    });

  beforeAll(async () => {
    database = await createTestDatabase();
    dataDir = mkdtempSync(path.join(tmpdir(), 'attune-methods-'));
    mkdirSync(path.join(dataDir, 'datasets'));
    writeFileSync(
      path.join(dataDir, 'datasets', 'preferences.jsonl'),
      preferences.map((row) => JSON.stringify(row)).join('\n'),
    );
    tuning = new TuningRepository(database.dataSource);
  });
  afterEach(async () => {
    await trainer?.stop();
    trainer = undefined;
  });
  afterAll(async () => {
    await database?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it.each([
    ['full', ['dpo', 'grpo']],
    ['bottleneck', ['dpo', 'kto']],
    ['soft-prompt', ['kto']],
    ['lora', ['reward', 'dpo']],
  ])(
    'trains a %s on a file, publishes it, and says where its rows came from: %s',
    async (form, stages) => {
      trainer = start();
      const { id } = await tuning.enqueue({ trigger: 'button', config: job({ form, stages }) });
      const ended = await finished(id);
      const messages = (await tuning.events(id)).map(({ message }) => message);
      expect(ended, messages.join('\n')).toMatchObject({ status: 'succeeded', error: null });
      expect(messages.some((message) => /^Trains .* % of [\d.]+ M weights$/.test(message))).toBe(true);
      const rows = await tuning.datasetRows(id);
      expect(rows.length).toBe(preferences.length);
      expect(rows.every(({ origin, feedbackId }) => origin === 'file' && feedbackId === null)).toBe(true);

      const stored = await new CheckpointStore(path.join(dataDir, 'checkpoints')).open(ended.checkpointId!);
      expect(stored.manifest).toMatchObject({ kind: form, objectives: stages });
      const row = await new CheckpointRepository(database.dataSource).get(ended.checkpointId!);
      expect(row.adapterDigest).toBe(stored.manifest.adapterDigest);
      expect(row.weightsDigest).toBe(stored.manifest.weightsDigest);
    },
    3 * MINUTE,
  );

  it(
    'publishes a full fine-tune as a folder MODEL may name: other weights, the same tokenizer',
    async () => {
      trainer = start();
      const { id } = await tuning.enqueue({ trigger: 'button', config: job({ form: 'full', stages: ['dpo'] }) });
      const { checkpointId } = await finished(id);
      const folder = path.join(dataDir, 'checkpoints', checkpointId!, 'model');
      const [tuned, base] = [await readModelFolder(folder), await readModelFolder(testModel!)];
      expect(tuned.names.toSorted()).toEqual(base.names.toSorted());
      expect(tuned.digest).not.toBe(base.digest);
      for (const file of ['tokenizer.json', 'config.json'])
        expect(JSON.parse(readFileSync(path.join(folder, file), 'utf8'))).toEqual(
          JSON.parse(readFileSync(path.join(testModel!, file), 'utf8')),
        );
    },
    3 * MINUTE,
  );

  it(
    'refuses a job that needs more memory than it may have, before it has begun',
    async () => {
      trainer = start({ TRAINER_MEMORY_GB: '0.05' });
      const { id } = await tuning.enqueue({ trigger: 'button', config: job({ stages: ['dpo'] }) });
      const { status, error } = await finished(id);
      expect(status).toBe('failed');
      expect(error).toMatch(/^This job needs about [\d.]+ GB, TRAINER_MEMORY_GB allows 0\.05: /);
      expect(await tuning.metrics(id)).toEqual([]);
    },
    MINUTE,
  );

  it(
    'names the lines of a file that cannot be read',
    async () => {
      trainer = start();
      writeFileSync(path.join(dataDir, 'datasets', 'bad.jsonl'), '{"prompt":"Hi","completion":"Hello"}\n{"prompt":1}');
      const config = job({ stages: ['sft'], data: { feedback: false, files: [{ path: 'bad.jsonl' }] } });
      const { id } = await tuning.enqueue({ trigger: 'button', config });
      const { status, error } = await finished(id);
      expect(status).toBe('failed');
      expect(error).toMatch(/^bad\.jsonl has rows that cannot be read:\n {2}line 2: /);
    },
    MINUTE,
  );

  async function finished(jobId: string): Promise<TuningJob> {
    const deadline = Date.now() + 2 * MINUTE;
    for (;;) {
      const found = await tuning.get(jobId);
      if (!['queued', 'running'].includes(found.status)) return found;
      if (Date.now() > deadline) throw new Error(`job ${jobId} is still ${found.status}`);
      await sleep(50);
    }
  }
});
