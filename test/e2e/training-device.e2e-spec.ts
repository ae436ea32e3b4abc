import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CheckpointStore, type LowRankWeights } from '@attune/checkpoint';
import { tuningJobConfig } from '@attune/contracts';
import { type TuningJob, TuningRepository } from '@attune/persistence';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { relativeError } from '../parity/fixtures.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { noModel, testModel } from '../support/gateway.js';
import { noSwiftShader, swiftShaderEnvironment } from '../support/swiftshader.js';
import { startTestTrainer, type TestTrainer } from '../support/trainer.js';

const MINUTE = 60_000;
const words = Array.from({ length: 8 }, (_, i) => `word ${i}`);
const demonstrations = words.map((word) => ({ prompt: `Say the ${word}.`, completion: word }));

/** Few, short steps: a software renderer is slow. */
const config = tuningJobConfig.parse({
  data: { feedback: false, files: [{ path: 'demonstrations.jsonl' }] },
  stages: ['sft'],
  lora: { rank: 4, targets: ['q_proj', 'v_proj'] },
  sft: { max_steps: 2, batch_size: 2, replay_share: 0 },
  gate: { suite_examples_per_family: 1, max_suite_drop: 1 },
});

/** Of the loss, and of what is published: Adam's first steps are as large for a gradient near zero as for any other. */
const TOLERANCE = { loss: 1e-4, weights: 1e-3 };

describe.skipIf(!testModel)(`where a trainer trains (${testModel ? 'for real' : noModel})`, () => {
  let database: TestDatabase;
  let dataDir: string;
  let tuning: TuningRepository;
  let trainer: TestTrainer | undefined;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataDir = mkdtempSync(path.join(tmpdir(), 'attune-device-'));
    mkdirSync(path.join(dataDir, 'datasets'));
    const rows = demonstrations.map((row) => JSON.stringify(row));
    writeFileSync(path.join(dataDir, 'datasets', 'demonstrations.jsonl'), rows.join('\n'));
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

  /** Runs the job in a trainer of its own. */
  async function train(env: Record<string, string>) {
    const setting = { TUNING_AUTO_PROMOTE: 'false', ...env };
    trainer = startTestTrainer({ databaseUrl: database.url, dataDir, model: testModel!, env: setting });
    const { id } = await tuning.enqueue({ trigger: 'button', config });
    const job = await finished(id);
    await trainer.stop();
    const messages = (await tuning.events(id)).map(({ message }) => message);
    const losses = (await tuning.metrics(id)).flatMap(({ values }) =>
      values['loss'] === undefined ? [] : [values['loss']],
    );
    return { job, messages, losses };
  }

  it.skipIf(noSwiftShader)(
    `publishes from a device what it publishes from the CPU${noSwiftShader && ` (skipped: ${noSwiftShader})`}`,
    async () => {
      const there = await train({ TRAINER_DEVICE: 'webgpu', ...swiftShaderEnvironment });
      const here = await train({ TRAINER_DEVICE: 'cpu' });
      for (const { job, messages } of [there, here]) expect(job.status, messages.join('\n')).toBe('succeeded');
      expect(there.messages).toContain('Trains on the webgpu device');
      expect(there.messages.some((message) => /MB of weights and .* lie on the webgpu device/.test(message))).toBe(
        true,
      );
      expect(here.messages).toContain('Trains on the CPU');
      expect(there.losses).toHaveLength(2);
      there.losses.forEach((loss, i) => expect(Math.abs(loss / here.losses[i]! - 1)).toBeLessThan(TOLERANCE.loss));
      const [got, want] = [await adapterOf(there.job), await adapterOf(here.job)];
      for (const [module, { a, b }] of want) {
        expect(relativeError(a, got.get(module)!.a), module).toBeLessThan(TOLERANCE.weights);
        expect(relativeError(b, got.get(module)!.b), module).toBeLessThan(TOLERANCE.weights);
      }
    },
    5 * MINUTE,
  );

  it('fails a job with what is missing when the device that is named is not to be had', async () => {
    // No GPU is visible to it, wherever this runs.
    const { job } = await train({ TRAINER_DEVICE: 'cuda', CUDA_VISIBLE_DEVICES: '', LOG_LEVEL: 'fatal' });
    expect(job.status).toBe('failed');
    expect(job.error).toMatch(
      /^no cuda device can be used here\. .*--onnxruntime-node-install=cuda12.*TRAINER_DEVICE=cpu/s,
    );
  });

  async function adapterOf({ checkpointId }: TuningJob): Promise<LowRankWeights['tensors']> {
    const { adapter } = await new CheckpointStore(path.join(dataDir, 'checkpoints')).open(checkpointId!);
    return (adapter as LowRankWeights).tensors;
  }

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
