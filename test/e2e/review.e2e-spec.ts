import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TuningRepository } from '@attune/persistence';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

const messages = [{ role: 'user' as const, content: 'Once upon a time there was a little dog.' }];

describe.skipIf(!testModel)(`review and tuning jobs (${testModel ? 'on real answers' : noModel})`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({ env: { TUNING: 'auto', TUNING_THRESHOLD: '3', TUNING_MIN_ROWS: '2' } });
  });
  afterAll(() => gateway?.close());

  async function correction(text: string): Promise<string> {
    const { id } = await gateway.openai.chat.completions.create({ model: gateway.model, messages, max_tokens: 4 });
    const { body } = await gateway.api(gateway.userKey, 'POST', '/v1/feedback', {
      type: 'correction',
      completion_id: id,
      text,
    });
    return body.id;
  }
  const decide = (id: string, body: object, key = gateway.reviewerKey) =>
    gateway.api(key, 'POST', `/api/review/${id}`, body);
  const queue = (query = '') => gateway.api(gateway.reviewerKey, 'GET', `/api/review/queue${query}`);

  it('shows a reviewer everything needed, longest waiting first, page by page', async () => {
    const ids = [await correction('One.'), await correction('Two.')];
    const first = await queue('?limit=1');
    expect(first.body).toMatchObject({ object: 'list', has_more: true });
    expect(first.body.data[0]).toMatchObject({
      feedback: { id: ids[0], type: 'correction', text: 'One.' },
      completion: { messages, model: gateway.model, weights_digest: expect.stringMatching(/^fp_/) },
      rejected_completion: null,
      edited_text: null,
    });
    const second = await queue(`?limit=1&after=${ids[0]}`);
    expect(second.body.data[0].feedback.id).toBe(ids[1]);
    expect(second.body.has_more).toBe(false);
  });

  it('takes verdicts, and tells the second reviewer that it is decided', async () => {
    const id = await correction('Three.');
    const edited = await decide(id, { verdict: 'edit', edited_text: 'Three, better.' });
    expect(edited.body).toMatchObject({ feedback: { status: 'approved' }, edited_text: 'Three, better.' });
    const second = await gateway.createKey('Second', 'reviewer');
    expect((await decide(id, { verdict: 'reject' }, second)).status).toBe(409);
    const own = await decide(id, { verdict: 'reject', note: 'I was wrong.' });
    expect(own.body.feedback.status).toBe('rejected');
    expect((await queue('?status=rejected')).body.data).toHaveLength(1);
    expect((await queue('?status=sideways')).status).toBe(400);
  });

  it('queues one training job by itself when enough is approved', async () => {
    const jobs = new TuningRepository(gateway.dataSource);
    const waiting = (await queue()).body.data as { feedback: { id: string } }[];
    const ids = [...waiting.map((item) => item.feedback.id), await correction('Four.')];
    await Promise.all(ids.map((id) => decide(id, { verdict: 'approve' })));
    await expect.poll(async () => (await jobs.list(10)).length, { timeout: 5_000 }).toBe(1);
    const { body } = await gateway.api(gateway.adminKey, 'GET', '/api/tuning/jobs');
    expect(body.data[0]).toMatchObject({ object: 'tuning.job', status: 'queued', trigger: 'threshold' });

    const again = await gateway.api(gateway.adminKey, 'POST', '/api/tuning/jobs', { config: { stages: ['sft'] } });
    expect(again).toMatchObject({
      status: 409,
      body: { error: { message: expect.stringContaining('queued or running') } },
    });
    const cancelled = await gateway.api(gateway.adminKey, 'POST', `/api/tuning/jobs/${body.data[0].id}/cancel`);
    expect(cancelled.body.status).toBe('cancelled');
  });

  it('starts a job by button, and shows what the trainer wrote down', async () => {
    const config = { stages: ['sft'], sft: { max_steps: 3 } };
    const started = await gateway.api(gateway.adminKey, 'POST', '/api/tuning/jobs', { config, note: 'by hand' });
    expect(started.status).toBe(201);
    expect(started.body).toMatchObject({
      trigger: 'button',
      config: { stages: ['sft'], sft: { max_steps: 3, batch_size: 16 } },
    });
    const jobs = new TuningRepository(gateway.dataSource);
    const { id } = started.body;
    await jobs.appendEvents(id, [{ level: 'info', message: 'curated 3 demonstrations' }]);
    await jobs.appendMetrics(
      id,
      [1, 2].map((step) => ({ stage: 'sft', step, values: { loss: 2 / step } })),
    );
    const get = async (what: string) =>
      (await gateway.api(gateway.adminKey, 'GET', `/api/tuning/jobs/${id}${what}`)).body;
    expect((await get('/events')).data[0].message).toBe('curated 3 demonstrations');
    expect((await get('/metrics?after=1')).data).toMatchObject([
      { seq: 2, stage: 'sft', step: 2, values: { loss: 1 } },
    ]);
    expect((await get('/rows')).data).toEqual([]);
    expect((await get('')).id).toBe(id);
    const wrong = await gateway.api(gateway.adminKey, 'POST', '/api/tuning/jobs', { config: { stages: ['sing'] } });
    expect(wrong).toMatchObject({ status: 400, body: { error: { param: expect.stringContaining('config.stages') } } });
  });
});
