import { readFileSync } from 'node:fs';
import path from 'node:path';
import { CheckpointStore, weightsDigest } from '@attune/checkpoint';
import { tuningJobConfig, type GateReport } from '@attune/contracts';
import { CheckpointRepository, TuningRepository } from '@attune/persistence';
import { createId } from '@attune/platform';
import { testModel, type TestGateway } from '../../support/gateway.js';

export const WORKER = 'worker of a spec';

/** A job that a trainer is working on, with the numbers of `numSteps` SFT steps and three PPO rounds. */
export async function seedRunningJob(gateway: TestGateway, numSteps: number): Promise<string> {
  const tuning = new TuningRepository(gateway.dataSource);
  const { id } = await tuning.enqueue({ trigger: 'threshold', config: tuningJobConfig.parse({}) });
  await takeJob(gateway);
  await tuning.appendEvents(id, [{ level: 'info', message: 'SFT: 12 demonstrations' }]);
  await appendSteps(gateway, id, 1, numSteps);
  const rounds = [1, 2, 3].map((step) => ({ stage: 'ppo', step, values: { reward_mean: step / 4, kl: step / 10 } }));
  await tuning.appendMetrics(id, rounds);
  await tuning.progress(id, WORKER, {
    stage: 'ppo',
    step: 3,
    numSteps: 8,
    etaSeconds: 75,
    loss: 0.5,
    tokensPerSecond: 812,
  });
  return id;
}

/** Takes the queued job, as a trainer would. */
export async function takeJob(gateway: TestGateway): Promise<void> {
  await new TuningRepository(gateway.dataSource).claim(WORKER, { staleSeconds: 600, maxAttempts: 3 });
}

/** Further SFT steps of a seeded job. */
export async function appendSteps(gateway: TestGateway, jobId: string, from: number, to: number): Promise<void> {
  const steps = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  const rows = steps.map((step) => ({ stage: 'sft', step, values: { loss: 3 / step, grad_norm: 1 } }));
  await new TuningRepository(gateway.dataSource).appendMetrics(jobId, rows);
}

/** A checkpoint that the engine can load and that is live: one rank-1 update of the first layer's queries. */
export async function seedLiveCheckpoint(gateway: TestGateway, report: GateReport): Promise<string> {
  const id = createId('ckpt');
  const baseDigest = gateway.loaded.model.baseDigest;
  const manifest = await new CheckpointStore(path.join(gateway.dataDir, 'checkpoints')).publish(id, {
    adapter: { rank: 1, alpha: 1, tensors: new Map([['model.layers.0.self_attn.q_proj', queryUpdate()]]) },
    manifest: {
      parentId: null,
      jobId: null,
      baseModel: gateway.model,
      baseDigest,
      objectives: ['sft'],
      seed: 17,
      datasetRowIds: [],
      config: {},
      metrics: {},
    },
  });
  const checkpoints = new CheckpointRepository(gateway.dataSource);
  await checkpoints.add({
    id,
    jobId: null,
    parentId: null,
    baseDigest,
    adapterDigest: manifest.adapterDigest!,
    weightsDigest: weightsDigest(baseDigest, manifest.adapterDigest),
    folder: id,
    metrics: { heldout_loss: 0.41 },
  });
  await checkpoints.setGateReport(id, report);
  const promoted = await gateway.api(gateway.adminKey, 'POST', `/api/checkpoints/${id}/promote`, {});
  if (promoted.status !== 200)
    throw new Error(`the seeded checkpoint did not go live: ${promoted.body.error?.message}`);
  return id;
}

/** Factors [1, hidden] and [queries, 1] of the model the gateway serves. */
function queryUpdate() {
  const config = JSON.parse(readFileSync(path.join(testModel!, 'config.json'), 'utf8')) as {
    hidden_size: number;
    num_attention_heads: number;
    head_dim?: number;
  };
  const headSize = config.head_dim ?? config.hidden_size / config.num_attention_heads;
  const a = new Float32Array(config.hidden_size).fill(0.1);
  const b = new Float32Array(config.num_attention_heads * headSize).fill(0.1);
  return { a, b };
}
