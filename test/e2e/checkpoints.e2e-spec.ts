import path from 'node:path';
import { CheckpointStore, readModelFolder, type AdapterWeights } from '@attune/checkpoint';
import {
  CheckpointRepository,
  CompletionRepository,
  FeedbackRepository,
  TuningRepository,
  type Checkpoint,
} from '@attune/persistence';
import { createId, createRandom } from '@attune/platform';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobConfig } from '../support/rows.js';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

const MODULE = 'model.layers.0.mlp.down_proj';

describe.skipIf(!testModel)(`checkpoints (${testModel ? 'swapped under a real engine' : noModel})`, () => {
  let gateway: TestGateway;
  let checkpoints: CheckpointRepository;
  let completions: CompletionRepository;
  beforeAll(async () => {
    gateway = await startTestGateway({ endless: true });
    checkpoints = new CheckpointRepository(gateway.dataSource);
    completions = new CompletionRepository(gateway.dataSource);
  });
  afterAll(() => gateway?.close());

  const ask = (max_tokens = 16) =>
    gateway.openai.chat.completions.create({
      model: gateway.model,
      messages: [{ role: 'user', content: 'Once upon a time there was a little dog.' }],
      temperature: 0,
      max_tokens,
    });
  const admin = (method: string, place: string, body?: unknown) => gateway.api(gateway.adminKey, method, place, body);

  /** A random adapter strong enough to change every answer. */
  async function randomAdapter(seed: number): Promise<AdapterWeights> {
    const [out, width] = (await readModelFolder(gateway.config.model.model)).shape(`${MODULE}.weight`);
    const random = createRandom(seed);
    const noise = (length: number) => Float32Array.from({ length }, () => random.normal());
    return { rank: 4, alpha: 8, tensors: new Map([[MODULE, { a: noise(4 * width), b: noise(4 * out) }]]) };
  }

  async function publish(seed: number, passed = true, jobId: string | null = null): Promise<Checkpoint> {
    const id = createId('ckpt');
    const { baseDigest } = gateway.loaded.model;
    const lineage = { parentId: null, jobId, baseModel: gateway.model, baseDigest, objectives: ['sft'], seed };
    const manifest = await new CheckpointStore(path.join(gateway.dataDir, 'checkpoints')).publish(id, {
      adapter: await randomAdapter(seed),
      manifest: { ...lineage, datasetRowIds: [], config: {}, metrics: {} },
    });
    const { adapterDigest, weightsDigest } = manifest;
    const row = { id, jobId, parentId: null, baseDigest, weightsDigest, folder: id, metrics: { loss: 1 } };
    await checkpoints.add({ ...row, adapterDigest: adapterDigest! });
    return checkpoints.setGateReport(id, { passed, checks: [], suite: [], samples: [] });
  }

  it('answers from the promoted weights at once, names them, and goes back exactly', async () => {
    const before = await ask();
    const checkpoint = await publish(1);
    const promoted = await admin('POST', `/api/checkpoints/${checkpoint.id}/promote`, { reason: 'by test' });
    expect(promoted).toMatchObject({
      status: 200,
      body: { checkpoint_id: checkpoint.id, previous_checkpoint_id: 'base', actor: 'Ada', reason: 'by test' },
    });
    const during = await ask();
    expect(during.system_fingerprint).toBe(checkpoint.weightsDigest);
    expect(during.choices[0].message.content).not.toBe(before.choices[0].message.content);
    expect((await completions.get(during.id)).checkpointId).toBe(checkpoint.id);

    const list = await admin('GET', '/api/checkpoints');
    expect(list.body.data.map((one: { id: string; status: string }) => [one.id, one.status])).toEqual([
      [checkpoint.id, 'live'],
      ['base', 'retired'],
    ]);
    await admin('POST', '/api/checkpoints/rollback');
    const after = await ask();
    expect(after.choices[0].message.content).toBe(before.choices[0].message.content);
    expect(after.system_fingerprint).toBe(before.system_fingerprint);
    expect((await admin('POST', '/api/checkpoints/rollback')).status).toBe(409);
    expect((await admin('GET', '/api/promotions')).body.data).toHaveLength(2);
  });

  it('lets a running answer end on the weights it began with', async () => {
    const before = await ask(300);
    const checkpoint = await publish(2);
    const stream = await gateway.openai.chat.completions.create({
      model: gateway.model,
      messages: [{ role: 'user', content: 'Once upon a time there was a little dog.' }],
      temperature: 0,
      max_tokens: 300,
      stream: true,
    });
    let text = '';
    let swapped: Promise<unknown> | undefined;
    let live = false;
    let chunksAfterSwap = 0;
    const fingerprints = new Set<string | undefined>();
    for await (const chunk of stream) {
      swapped ??= admin('POST', `/api/checkpoints/${checkpoint.id}/promote`).then(() => (live = true));
      if (live) chunksAfterSwap += 1;
      text += chunk.choices[0].delta.content ?? '';
      fingerprints.add(chunk.system_fingerprint);
    }
    await swapped;
    expect(chunksAfterSwap).toBeGreaterThan(0);
    expect(text).toBe(before.choices[0].message.content);
    expect([...fingerprints]).toEqual([before.system_fingerprint]);
    expect((await ask()).system_fingerprint).toBe(checkpoint.weightsDigest);
    await admin('POST', '/api/checkpoints/base/promote');
    expect((await ask()).system_fingerprint).toBe(before.system_fingerprint);
  });

  it('hears of a promotion that another process made', async () => {
    const checkpoint = await publish(3);
    await checkpoints.promote(checkpoint.id, 'trainer', 'passed the gate');
    await expect
      .poll(async () => (await ask(1)).system_fingerprint, { timeout: 10_000 })
      .toBe(checkpoint.weightsDigest);
    await admin('POST', '/api/checkpoints/rollback');
  });

  it('keeps the live weights when its engine process is replaced', async () => {
    const checkpoint = await publish(4);
    await admin('POST', `/api/checkpoints/${checkpoint.id}/promote`);
    process.kill((gateway.loaded.engine as unknown as { pid: number }).pid, 'SIGKILL');
    await expect.poll(() => gateway.loaded.engine.ready, { timeout: 20_000 }).toBe(false);
    await expect.poll(() => gateway.loaded.engine.ready, { timeout: 20_000 }).toBe(true);
    expect((await ask()).system_fingerprint).toBe(checkpoint.weightsDigest);
    await admin('POST', '/api/checkpoints/rollback');
  });

  it('never promotes what did not pass, or does not exist', async () => {
    const failed = await publish(5, false);
    expect(await admin('POST', `/api/checkpoints/${failed.id}/promote`)).toMatchObject({ status: 409 });
    expect(await admin('POST', '/api/checkpoints/ckpt_nothing/promote')).toMatchObject({ status: 404 });
  });

  it('goes on with the old weights when the new ones cannot be read', async () => {
    const before = await ask();
    const { baseDigest } = gateway.loaded.model;
    const id = createId('ckpt');
    const digests = { baseDigest, adapterDigest: 'missing', weightsDigest: 'fp_missing' };
    await checkpoints.add({ id, jobId: null, parentId: null, ...digests, folder: id, metrics: {} });
    await checkpoints.setGateReport(id, { passed: true, checks: [], suite: [], samples: [] });
    await admin('POST', `/api/checkpoints/${id}/promote`);
    expect((await ask()).choices[0].message.content).toBe(before.choices[0].message.content);
    await admin('POST', '/api/checkpoints/rollback');
  });

  it('walks from an answer to the people who taught it, and from feedback to its checkpoints', async () => {
    const taught = await ask();
    const given = await gateway.api(gateway.userKey, 'POST', '/v1/feedback', {
      type: 'correction',
      completion_id: taught.id,
      text: 'Better.',
    });
    await gateway.api(gateway.reviewerKey, 'POST', `/api/review/${given.body.id}`, { verdict: 'approve' });
    const jobs = new TuningRepository(gateway.dataSource);
    const job = await jobs.enqueue({ trigger: 'button', config: jobConfig });
    const prompt = [{ role: 'user' as const, content: 'x' }];
    const row = { feedbackId: given.body.id, kind: 'demonstration' as const, split: 'train' as const };
    await jobs.replaceDatasetRows(job.id, [{ ...row, prompt, chosen: 'Better.', rejected: null }]);
    const checkpoint = await publish(6, true, job.id);
    await jobs.claim('worker', { staleSeconds: 60, maxAttempts: 3 });
    await jobs.finish(job.id, 'worker', { checkpointId: checkpoint.id });
    await admin('POST', `/api/checkpoints/${checkpoint.id}/promote`);

    const answer = await ask();
    const { feedback, review } = await new FeedbackRepository(gateway.dataSource).get(given.body.id);
    const expected = {
      checkpoint_id: checkpoint.id,
      job_id: job.id,
      rows: [
        {
          feedback_id: feedback.id,
          completion_id: taught.id,
          user_id: feedback.userId,
          reviewer_id: review!.reviewerId,
          split: 'train',
        },
      ],
    };
    const fromAnswer = await gateway.api(gateway.reviewerKey, 'GET', `/v1/lineage/${answer.id}`);
    expect(fromAnswer.body).toMatchObject({ weights_digest: checkpoint.weightsDigest, checkpoints: [expected] });
    const fromFeedback = await gateway.api(gateway.reviewerKey, 'GET', `/v1/lineage/${feedback.id}`);
    expect(fromFeedback.body.checkpoints).toMatchObject([expected]);
    const fromBase = await gateway.api(gateway.reviewerKey, 'GET', `/v1/lineage/${taught.id}`);
    expect(fromBase.body.checkpoints).toEqual([]);
  });
});
