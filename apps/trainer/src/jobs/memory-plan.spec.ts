import { rm } from 'node:fs/promises';
import { type TuningJobConfig, tuningJobConfig } from '@attune/contracts';
import type { AnyTensorMap, Runtime } from '@attune/runtime';
import { systemClock } from '@attune/platform';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DatasetRow, toDataset } from '../curation/dataset.js';
import { type BaseModel, loadEngine } from '../model/base-model.js';
import { tinyModel } from '../model/tiny-model.fixture.js';
import type { RecipeContext } from '../recipes/recipe-context.js';
import { initialPolicy } from '../recipes/starting-policy.js';
import { trainCandidate } from '../recipes/train-candidate.js';
import { jobSizes } from './job-sizes.js';
import { memoryPlan } from './memory-plan.js';
import { RunState } from './run-state.js';

let model: BaseModel;
beforeAll(async () => {
  model = await tinyModel(['over', 'and', 'out', 'ship', 'port']);
});
afterAll(() => rm(model.folder, { recursive: true }));

const long = (word: string, times: number) => Array(times).fill(word).join(' ');
const ask = (content: string) => [{ role: 'user' as const, content }];
const row = (overrides: Partial<DatasetRow>): DatasetRow => ({
  kind: 'demonstration',
  split: 'train',
  prompt: ask('ship'),
  chosen: 'over',
  rejected: null,
  label: null,
  feedbackId: null,
  ...overrides,
});
/** A long prompt with short answers, a short one with long answers, and a ranking of five. */
const rows: DatasetRow[] = [
  row({ prompt: ask(long('ship', 40)) }),
  row({ chosen: long('out', 40) }),
  row({ kind: 'thumb', prompt: ask(long('port', 40)), chosen: 'over', label: true }),
  row({ kind: 'thumb', prompt: ask('port'), chosen: long('and', 40), label: false }),
  ...[0, 1, 2, 3].map((i) =>
    row({ kind: 'preference', prompt: ask('Which?'), chosen: `${i} over`, rejected: `${i + 1} over` }),
  ),
  row({ kind: 'graded', prompt: ask(long('out', 60)), chosen: '', item: { answer: 'over' } }),
];

const check = { type: 'string_check', name: 'same', operation: 'eq', input: '{{sample.output_text}}' } as const;
const job = (settings: object) =>
  tuningJobConfig.parse({
    lora: { rank: 2, targets: ['q_proj'] },
    sft: { max_steps: 3, replay_share: 0 },
    dpo: { max_steps: 3, batch_size: 4, replay_coef: 0 },
    kto: { max_steps: 3, batch_size: 6, replay_coef: 0 },
    reward: { max_steps: 3, batch_size: 4 },
    grpo: {
      iterations: 1,
      prompts_per_iteration: 2,
      group_size: 5,
      max_answer_tokens: 6,
      grader: {
        kind: 'rows',
        grader: { ...check, reference: '{{item.answer}}' },
        file_id: 'file-a',
        user_id: 'user_a',
      },
    },
    ...settings,
  });

describe('the memory plan', () => {
  it.each([
    ['dpo', {}],
    ['dpo', { micro_batch: 3 }],
    ['kto', {}],
    ['kto', { micro_batch: 4 }],
    // Many short answers share a row with a long one.
    ['reward', {}, 0.1],
    ['reward', { micro_batch: 4 }],
    ['grpo', {}],
    ['grpo', { micro_batch: 3 }],
    ['sft', {}],
  ] as const)('names the largest batches that %s really runs: %o', async (stage, settings, leastShare = 0.6) => {
    const config = job({ stages: [stage], ...settings });
    const bounds = plannedBatches(config);
    const seen = await largestBatches(config);
    expect(seen.step).toBeGreaterThan(0);
    expect(seen.step).toBeLessThanOrEqual(bounds.step);
    expect(seen.step).toBeGreaterThan(leastShare * bounds.step);
    expect(seen.pass).toBeLessThanOrEqual(bounds.pass);
  });
  it.each([
    ['sft', { sft: { max_steps: 3 } }],
    ['dpo', { dpo: { max_steps: 3, batch_size: 4 }, micro_batch: 2 }],
    ['kto', { kto: { max_steps: 3, batch_size: 6 } }],
  ] as const)('leaves room for the tasks that %s replays', async (stage, settings) => {
    const config = job({ stages: [stage], ...settings });
    const seen = await largestBatches(config);
    expect(seen.step).toBeLessThanOrEqual(plannedBatches(config).step);
  });
});

function plannedBatches(config: TuningJobConfig): { step: number; pass: number } {
  const { form } = initialPolicy(model, config);
  const [planned] = memoryPlan(jobSizes(model, config, form, rows, { slots: 1, maxSeq: 1 })).stages;
  return { step: areaOf(planned!.step!), pass: Math.max(0, ...planned!.passes.map(areaOf)) };
}

const areaOf = ({ sequences, tokens }: { sequences: number; tokens: number }): number => sequences * tokens;

/** Runs a job's stages and notes the most padded tokens of a training step and of a scoring pass. */
async function largestBatches(config: TuningJobConfig): Promise<{ step: number; pass: number }> {
  const largest = { step: 0, pass: 0 };
  const createSession: Runtime['createSession'] = async (graph, options) => {
    const session = await model.runtime.createSession(graph, options);
    const run = session.run.bind(session);
    session.run = (inputs: AnyTensorMap, outputs: AnyTensorMap) => {
      const kind = Object.keys(outputs).some((name) => name.startsWith('gradient of')) ? 'step' : 'pass';
      const [sequences, tokens] = inputs['ids']!.shape as [number, number];
      largest[kind] = Math.max(largest[kind], sequences * tokens);
      return run(inputs, outputs);
    };
    return session;
  };
  const watched = { ...model, runtime: Object.assign(Object.create(model.runtime) as Runtime, { createSession }) };
  const nowhere = { save: async () => undefined, load: async () => undefined };
  const say = () => undefined;
  const context = {
    model: watched,
    config,
    state: await RunState.open(nowhere, async () => null, model.digest),
    journal: { step: say, progress: say, info: say, warn: say, flush: async () => undefined },
    clock: systemClock,
    signal: new AbortController().signal,
    saveEveryMs: Infinity,
  } as unknown as RecipeContext;
  const engine = await loadEngine(model, 256);
  try {
    const candidate = await trainCandidate(context, engine, initialPolicy(model, config), toDataset(rows));
    await candidate.reward?.scorer.release();
  } finally {
    await engine.close();
  }
  return largest;
}
