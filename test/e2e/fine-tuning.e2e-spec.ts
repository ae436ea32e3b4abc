import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelChats, noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';
import { startTestTrainer, type TestTrainer } from '../support/trainer.js';

const MINUTE = 60_000;
const words = ['apple', 'river', 'stone', 'cloud', 'bread', 'chair', 'lemon', 'tiger'];

describe.skipIf(!testModel)(`fine-tuning jobs (${testModel ? 'by the official client' : noModel})`, () => {
  let gateway: TestGateway;
  let openai: OpenAI;
  let trainer: TestTrainer | undefined;
  beforeAll(async () => {
    gateway = await startTestGateway();
    openai = gateway.client(gateway.adminKey);
  });
  afterAll(async () => {
    await trainer?.stop();
    await gateway?.close();
  });

  const upload = async (rows: object[]) => {
    const content = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    return openai.files.create({ file: await toFile(Buffer.from(content), 'rows.jsonl'), purpose: 'fine-tune' });
  };
  const greetings = () =>
    words.flatMap((word) =>
      ['Greet', 'Hail', 'Welcome'].map((verb) => ({
        messages: [
          { role: 'user', content: `${verb} the ${word}.` },
          { role: 'assistant', content: `Ahoy, ${word}!` },
        ],
      })),
    );
  const start = () => {
    const { databaseUrl, dataDir } = gateway;
    trainer ??= startTestTrainer({ databaseUrl, dataDir, model: testModel! });
  };
  const ended = async (id: string) => {
    await expect
      .poll(async () => (await openai.fineTuning.jobs.retrieve(id)).status, { timeout: 3 * MINUTE, interval: 250 })
      .toMatch(/^(succeeded|failed|cancelled)$/);
    return openai.fineTuning.jobs.retrieve(id);
  };

  it('waits in the queue, can be paused, resumed, cancelled and found by its labels', async () => {
    const { id: training_file } = await upload(greetings());
    const job = await openai.fineTuning.jobs.create({ model: gateway.model, training_file, metadata: { team: 'a' } });
    expect(job).toMatchObject({ object: 'fine_tuning.job', status: 'queued', fine_tuned_model: null, training_file });
    expect((await openai.fineTuning.jobs.pause(job.id)).status).toBe('paused');
    expect((await openai.fineTuning.jobs.resume(job.id)).status).toBe('queued');
    const other = await openai.fineTuning.jobs.create({ model: gateway.model, training_file, method: { type: 'dpo' } });
    const found = await openai.fineTuning.jobs.list({ metadata: { team: 'a' } });
    expect(found.data.map((one) => one.id)).toEqual([job.id]);
    for (const { id } of [job, other]) expect((await openai.fineTuning.jobs.cancel(id)).status).toBe('cancelled');
    await expect(openai.fineTuning.jobs.cancel(job.id)).rejects.toMatchObject({ status: 409 });
  });

  it('refuses what could only fail later', async () => {
    const { id: training_file } = await upload(greetings());
    const create = (body: object) =>
      openai.fineTuning.jobs.create({
        model: gateway.model,
        training_file,
        ...body,
      } as OpenAI.FineTuning.JobCreateParams);
    const refused = (body: object, param: string) =>
      expect(create(body)).rejects.toMatchObject({ status: 400, param: expect.stringContaining(param) });
    await refused({ model: 'gpt-4o' }, 'model');
    await refused({ training_file: 'file-none' }, 'training_file');
    await refused({ method: { type: 'magic' } }, 'method');
    await refused({ method: { type: 'reinforcement' } }, 'method');
    await refused({ integrations: [{ type: 'wandb', wandb: { project: 'x' } }] }, 'integrations');
    const note = await openai.files.create({ file: await toFile(Buffer.from('x'), 'x.txt'), purpose: 'user_data' });
    await refused({ training_file: note.id }, 'training_file');
    await expect(gateway.openai.fineTuning.jobs.create({ model: gateway.model, training_file })).rejects.toMatchObject({
      status: 403,
    });
  });

  it.skipIf(!modelChats)(
    'trains on a file, tells how it goes, and serves what it made under its own name only',
    async () => {
      start();
      const { id: training_file } = await upload(greetings());
      const job = await openai.fineTuning.jobs.create({
        model: gateway.model,
        training_file,
        seed: 7,
        suffix: 'ahoy',
        method: { type: 'supervised', supervised: { hyperparameters: { n_epochs: 12, batch_size: 8 } } },
      });
      const seen: string[] = [];
      const stream = await fetch(`${gateway.baseUrl}/v1/fine_tuning/jobs/${job.id}/events?stream=true`, {
        headers: { authorization: `Bearer ${gateway.adminKey}` },
      });
      for (const line of (await stream.text()).split('\n')) if (line.startsWith('data: ')) seen.push(line.slice(6));
      expect(seen.at(-1)).toBe('[DONE]');
      const steps = seen.slice(0, -1).map((data) => JSON.parse(data) as OpenAI.FineTuning.FineTuningJobEvent);
      expect(steps.filter((event) => event.type === 'metrics').length).toBeGreaterThan(10);

      const done = await ended(job.id);
      expect(done).toMatchObject({ status: 'succeeded', error: null, seed: 7 });
      expect(done.fine_tuned_model).toMatch(new RegExp(`^${gateway.model}:ckpt_`));
      const ask = (model: string) =>
        openai.chat.completions.create({
          model,
          temperature: 0,
          messages: [{ role: 'user', content: 'Greet the lemon.' }],
        });
      expect((await ask(done.fine_tuned_model!)).choices[0].message.content).toBe('Ahoy, lemon!');
      expect((await ask(gateway.model)).choices[0].message.content).not.toContain('Ahoy');

      const events = [];
      for await (const event of openai.fineTuning.jobs.listEvents(job.id, { limit: 50 })) events.push(event.id);
      expect(new Set(events).size).toBe(events.length);
      expect(events.toSorted()).toEqual(steps.map((event) => event.id).toSorted());
      const [checkpoint] = (await openai.fineTuning.jobs.checkpoints.list(job.id)).data;
      expect(checkpoint).toMatchObject({
        fine_tuned_model_checkpoint: done.fine_tuned_model,
        fine_tuning_job_id: job.id,
      });
      const [file] = done.result_files;
      expect(await (await openai.files.content(file)).text()).toMatch(/^stage,step,.*loss.*\nsft,\d+,/);
    },
    4 * MINUTE,
  );

  it.skipIf(!modelChats)(
    'lets a grader pay answers to the rows of a file',
    async () => {
      start();
      const rows = words.map((word) => ({ messages: [{ role: 'user', content: `Say ${word}.` }], word }));
      const { id: training_file } = await upload(rows);
      const job = await openai.fineTuning.jobs.create({
        model: gateway.model,
        training_file,
        method: {
          type: 'reinforcement',
          reinforcement: {
            grader: {
              type: 'string_check',
              name: 'says it',
              operation: 'ilike',
              input: '{{sample.output_text}}',
              reference: '{{item.word}}',
            },
            hyperparameters: { n_epochs: 2, batch_size: 4 },
          },
        },
      });
      const done = await ended(job.id);
      const { data } = await openai.fineTuning.jobs.listEvents(job.id, { limit: 100 });
      const rewards = data
        .filter((event) => event.type === 'metrics')
        .map((event) => event.data as { reward_mean?: number });
      expect(done).toMatchObject({ status: 'succeeded', error: null });
      expect(done.fine_tuned_model).toMatch(new RegExp(`^${gateway.model}:ckpt_`));
      expect(rewards.some(({ reward_mean: mean }) => mean !== undefined)).toBe(true);
    },
    4 * MINUTE,
  );
});
