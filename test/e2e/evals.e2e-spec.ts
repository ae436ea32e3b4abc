import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

const schema = {
  type: 'object',
  properties: { question: { type: 'string' }, answer: { type: 'string' } },
  required: ['question', 'answer'],
};
const exact = {
  type: 'string_check',
  name: 'exact',
  operation: 'eq',
  input: '{{sample.output_text}}',
  reference: '{{item.answer}}',
} as const;
const near = {
  type: 'text_similarity',
  name: 'near',
  evaluation_metric: 'fuzzy_match',
  input: '{{sample.output_text}}',
  reference: '{{item.answer}}',
  pass_threshold: 0.5,
} as const;

describe.skipIf(!testModel)(`evals (${testModel ? 'by the official client' : noModel})`, () => {
  let gateway: TestGateway;
  let openai: OpenAI;
  beforeAll(async () => {
    gateway = await startTestGateway();
    openai = gateway.openai;
  });
  afterAll(() => gateway?.close());

  const create = (criteria: OpenAI.EvalCreateParams['testing_criteria'] = [exact, near]) =>
    openai.evals.create({
      name: 'Questions',
      data_source_config: { type: 'custom', item_schema: schema, include_sample_schema: true },
      testing_criteria: criteria,
    });
  const ended = async (evalId: string, runId: string) => {
    await expect
      .poll(async () => (await openai.evals.runs.retrieve(runId, { eval_id: evalId })).status, { timeout: 60_000 })
      .toMatch(/^(completed|failed|canceled)$/);
    return openai.evals.runs.retrieve(runId, { eval_id: evalId });
  };
  const row = (question: string, answer: string, output?: string) => ({
    item: { question, answer },
    ...(output !== undefined && { sample: { output_text: output } }),
  });

  it('grades answers the rows bring along', async () => {
    const made = await create();
    expect(made).toMatchObject({
      object: 'eval',
      name: 'Questions',
      testing_criteria: [{ name: 'exact' }, { name: 'near' }],
    });
    const run = await openai.evals.runs.create(made.id, {
      data_source: {
        type: 'jsonl',
        source: {
          type: 'file_content',
          content: [row('a', 'Rome', 'Rome'), row('b', 'Paris', 'Pariss'), row('c', 'Oslo', 'no idea')],
        },
      },
    });
    expect(run.status).toMatch(/queued|in_progress/);
    const done = await ended(made.id, run.id);
    expect(done).toMatchObject({
      status: 'completed',
      result_counts: { total: 3, passed: 1, failed: 2, errored: 0 },
      per_testing_criteria_results: [
        { testing_criteria: 'exact', passed: 1, failed: 2 },
        { testing_criteria: 'near', passed: 2, failed: 1 },
      ],
    });
    const items = await openai.evals.runs.outputItems.list(run.id, { eval_id: made.id, status: 'fail', order: 'asc' });
    const failed = items.data.toSorted((a, b) => a.datasource_item_id - b.datasource_item_id);
    expect(failed.map((item) => item.datasource_item_id)).toEqual([1, 2]);
    expect(failed[0].results).toMatchObject([
      { name: 'exact', passed: false },
      { name: 'near', passed: true },
    ]);
    const one = await openai.evals.runs.outputItems.retrieve(failed[0].id, { eval_id: made.id, run_id: run.id });
    expect(one.datasource_item).toEqual({ question: 'b', answer: 'Paris' });
  });

  it('asks a model, by chat completions and by responses, with rows of a file', async () => {
    const made = await create([exact]);
    const content = [row('Say yes.', 'yes'), row('Say no.', 'no')].map((one) => JSON.stringify(one)).join('\n');
    const file = await openai.files.create({
      file: await toFile(Buffer.from(content), 'rows.jsonl'),
      purpose: 'evals',
    });
    const common = {
      source: { type: 'file_id', id: file.id },
      input_messages: { type: 'template', template: [{ role: 'user', content: '{{item.question}}' }] },
      model: gateway.model,
    } as const;
    for (const type of ['completions', 'responses'] as const) {
      const run = await openai.evals.runs.create(made.id, {
        data_source: { type, ...common, sampling_params: { temperature: 0, max_completion_tokens: 4 } } as never,
      });
      const done = await ended(made.id, run.id);
      expect(done.error).toBeNull();
      expect(done.result_counts).toMatchObject({ total: 2, errored: 0 });
      expect(done.per_model_usage).toMatchObject([{ model_name: gateway.model, invocation_count: 2 }]);
      const items = await openai.evals.runs.outputItems.list(run.id, { eval_id: made.id, order: 'asc' });
      const sample = items.data.find((item) => item.datasource_item_id === 0)!.sample;
      expect(sample.input).toEqual([{ role: 'user', content: 'Say yes.' }]);
      expect(sample.usage.total_tokens).toBeGreaterThan(0);
    }
  });

  it('grades by a model that is held to the labels', async () => {
    const made = await create([
      {
        type: 'label_model',
        name: 'tone',
        model: gateway.model,
        input: [{ role: 'user', content: 'Kind or rude? {{sample.output_text}}' }],
        labels: ['kind', 'rude'],
        passing_labels: ['kind', 'rude'],
      },
    ]);
    const run = await openai.evals.runs.create(made.id, {
      data_source: { type: 'jsonl', source: { type: 'file_content', content: [row('a', 'b', 'Hello!')] } },
    });
    const done = await ended(made.id, run.id);
    expect(done.result_counts).toEqual({ total: 1, passed: 1, failed: 0, errored: 0 });
    const [item] = (await openai.evals.runs.outputItems.list(run.id, { eval_id: made.id })).data;
    expect(['kind', 'rude']).toContain(item.results[0].label);
  });

  it('reads stored completions', async () => {
    await openai.chat.completions.create({
      model: gateway.model,
      messages: [{ role: 'user', content: 'Hi there' }],
      max_tokens: 4,
      store: true,
      metadata: { purpose: 'eval' },
    });
    const made = await openai.evals.create({
      data_source_config: { type: 'stored_completions', metadata: { purpose: 'eval' } },
      testing_criteria: [{ ...exact, operation: 'ne', reference: 'something else' }],
    });
    const run = await openai.evals.runs.create(made.id, {
      data_source: { type: 'completions', source: { type: 'stored_completions' } },
    });
    const done = await ended(made.id, run.id);
    expect(done).toMatchObject({ status: 'completed', result_counts: { total: 1, passed: 1 } });
    const [item] = (await openai.evals.runs.outputItems.list(run.id, { eval_id: made.id })).data;
    expect(item.datasource_item.input).toMatchObject([{ role: 'user', content: 'Hi there' }]);
  });

  it('refuses what could only fail later, and fails with a reason where it must', async () => {
    const refused = (body: object) =>
      expect(openai.evals.create(body as OpenAI.EvalCreateParams)).rejects.toMatchObject({ status: 400 });
    const config = { type: 'custom', item_schema: schema };
    await refused({ data_source_config: config, testing_criteria: [] });
    await refused({ data_source_config: { type: 'custom', item_schema: { type: 7 } }, testing_criteria: [exact] });
    await refused({ data_source_config: config, testing_criteria: [exact, exact] });
    await refused({ data_source_config: config, testing_criteria: [{ type: 'python', name: 'p', source: 'x' }] });
    const sum = { type: 'multi', name: 'sum', graders: { a: exact }, calculate_output: 'a + b' };
    await refused({ data_source_config: config, testing_criteria: [sum] });
    const made = await create();
    const run = await openai.evals.runs.create(made.id, {
      data_source: { type: 'jsonl', source: { type: 'file_content', content: [{ item: { question: 'x' } }] } },
    });
    const done = await ended(made.id, run.id);
    expect(done).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('Row 1') } });
  });

  it('cancels, deletes, and shows nobody another’s evals', async () => {
    const made = await create([exact]);
    const content = [...Array(500).keys()].map((i) => row(`Tell me ${i}`, 'x'));
    const run = await openai.evals.runs.create(made.id, {
      data_source: {
        type: 'completions',
        source: { type: 'file_content', content },
        input_messages: { type: 'template', template: [{ role: 'user', content: '{{item.question}}' }] },
        model: gateway.model,
      },
    });
    expect((await openai.evals.runs.cancel(run.id, { eval_id: made.id })).status).toBe('canceled');
    const other = gateway.client(await gateway.createKey('Otto', 'user'));
    await expect(other.evals.retrieve(made.id)).rejects.toMatchObject({ status: 404 });
    expect((await openai.evals.update(made.id, { name: 'Renamed' })).name).toBe('Renamed');
    expect(await openai.evals.runs.delete(run.id, { eval_id: made.id })).toMatchObject({ deleted: true });
    expect(await openai.evals.delete(made.id)).toMatchObject({ deleted: true });
    await expect(openai.evals.retrieve(made.id)).rejects.toMatchObject({ status: 404 });
  });

  it('tries a grader out', async () => {
    const tried = await openai.fineTuning.alpha.graders.run({
      grader: near,
      model_sample: 'Pariss',
      item: { answer: 'Paris' },
    });
    expect(tried.reward).toBeCloseTo(5 / 6, 6);
    expect(await openai.fineTuning.alpha.graders.validate({ grader: exact })).toMatchObject({
      grader: { name: 'exact' },
    });
  });
});
