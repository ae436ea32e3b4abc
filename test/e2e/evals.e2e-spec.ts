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

  it('reads long conversations of stored completions whole, and only what was stored before the run', async () => {
    const turns = Array.from({ length: 130 }, (_, i) => ({
      role: i % 2 ? ('assistant' as const) : ('user' as const),
      content: `${i}`,
    }));
    const store = (n: number) =>
      openai.chat.completions.create({
        model: gateway.model,
        messages: [...turns, { role: 'user', content: `Say ${n}` }],
        max_tokens: 2,
        store: true,
        metadata: { purpose: 'long' },
      });
    for (let n = 0; n < 3; n++) await store(n);
    const made = await openai.evals.create({
      data_source_config: { type: 'logs', metadata: { purpose: 'long' } },
      testing_criteria: [{ ...exact, operation: 'ne', reference: 'something else' }],
    });
    const runOver = (source: object) =>
      openai.evals.runs.create(made.id, {
        data_source: { type: 'completions', source: { type: 'stored_completions', ...source } } as never,
      });
    const run = await runOver({});
    await ended(made.id, run.id);
    const { data } = await openai.evals.runs.outputItems.list(run.id, { eval_id: made.id });
    expect(data).toHaveLength(3);
    for (const { datasource_item: item } of data) {
      const input = item.input as { role: string; content: string }[];
      expect(input.slice(0, 130)).toEqual(turns);
      expect(input).toHaveLength(131);
    }
    const some = await runOver({ limit: 2, created_after: 0 });
    expect((await ended(made.id, some.id)).result_counts.total).toBe(2);
    const none = await runOver({ created_before: 1_000 });
    expect(await ended(made.id, none.id)).toMatchObject({ status: 'failed', error: { code: 'run_failed' } });
  });

  it('reads stored responses: those that fit the filters, with everything the model was shown', async () => {
    const respond = (body: Partial<OpenAI.Responses.ResponseCreateParamsNonStreaming>) =>
      openai.responses.create({
        model: gateway.model,
        max_output_tokens: 16,
        metadata: { purpose: 'logs' },
        ...body,
      } as OpenAI.Responses.ResponseCreateParamsNonStreaming);
    const first = await respond({ input: 'Hi there', instructions: 'Be kind.', temperature: 0.5, user: 'otto' });
    const second = await respond({
      input: 'And now?',
      previous_response_id: first.id,
      tools: [{ type: 'function', name: 'look', parameters: { type: 'object', properties: {} }, strict: false }],
      tool_choice: 'none',
    });
    await respond({ input: 'Not this one', metadata: { purpose: 'other' } });
    const made = await openai.evals.create({
      data_source_config: { type: 'logs', metadata: { purpose: 'logs' } },
      testing_criteria: [{ ...exact, operation: 'ne', reference: 'something else' }],
    });
    const found = async (filter: object, input_messages?: object) => {
      const source = { type: 'responses', ...filter };
      const run = await openai.evals.runs.create(made.id, {
        data_source: {
          type: 'responses',
          source,
          ...(input_messages && {
            input_messages,
            model: gateway.model,
            sampling_params: { max_completion_tokens: 16 },
          }),
        } as never,
      });
      const done = await ended(made.id, run.id);
      if (done.status === 'failed') return done.error.message;
      const { data } = await openai.evals.runs.outputItems.list(run.id, { eval_id: made.id, order: 'asc' });
      return data.toSorted((a, b) => a.datasource_item_id - b.datasource_item_id);
    };
    const ids = async (filter: object) => {
      const rows = await found(filter);
      return typeof rows === 'string' ? rows : rows.map(({ datasource_item: item }) => item.id);
    };
    const all = (await found({})) as OpenAI.Evals.Runs.OutputItemListResponse[];
    expect(all.map((row) => row.datasource_item.id)).toEqual([first.id, second.id]);
    expect(all[0].sample.output[0].content).toBe(first.output_text);
    expect(all[0].datasource_item.input).toEqual([
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'Hi there' },
    ]);
    expect(all[1].datasource_item.input).toEqual([
      { role: 'user', content: 'Hi there' },
      { role: 'assistant', content: first.output_text },
      { role: 'user', content: 'And now?' },
    ]);
    expect(await ids({ instructions_search: 'be KIND' })).toEqual([first.id]);
    expect(await ids({ temperature: 0.5 })).toEqual([first.id]);
    expect(await ids({ users: ['otto', 'nina'] })).toEqual([first.id]);
    expect(await ids({ tools: ['look'] })).toEqual([second.id]);
    expect(await ids({ model: gateway.model, top_p: 1, created_after: first.created_at })).toEqual([
      first.id,
      second.id,
    ]);
    expect(await ids({ model: 'another' })).toMatch(/holds no rows/);
    expect(await ids({ reasoning_effort: 'high' })).toMatch(/holds no rows/);
    // The same conversations, answered anew.
    const anew = await found({}, { type: 'item_reference', item_reference: 'item.input' });
    expect(anew).toMatchObject([
      { sample: { error: null, input: all[0].datasource_item.input } },
      { sample: { error: null, input: all[1].datasource_item.input } },
    ]);
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
