import { createFineTuningJobRequest, type TuningJobConfig } from '@attune/contracts';
import { expect, it } from 'vitest';
import { configOf, methodOf, startOf } from './method-config.js';
import { resultCsv } from './result-csv.js';

function config(body: object, validationFile: string | null = null): TuningJobConfig {
  const request = createFineTuningJobRequest.parse({ model: 'mini', training_file: 'file-a', ...body });
  const method = methodOf(request);
  return configOf({ method, start: 'base', userId: 'user_1', trainingFile: 'file-a', validationFile });
}
const usual = config({});

it('trains on the file alone, for whoever names the checkpoint', () => {
  expect(usual).toMatchObject({ stages: ['sft'], form: 'lora', start: 'base', promotion: 'never' });
  expect(usual.data).toMatchObject({
    feedback: false,
    files: [{ file_id: 'file-a', user_id: 'user_1', split: 'auto' }],
  });
  const split = config({}, 'file-b').data.files.map((file) => [file.file_id, file.split]);
  expect(split).toEqual([
    ['file-a', 'train'],
    ['file-b', 'heldout'],
  ]);
});

it('reads hyperparameters at their old place and at their new one alike', () => {
  const hyperparameters = { n_epochs: 3, batch_size: 4, learning_rate_multiplier: 2 };
  const old = config({ hyperparameters });
  expect(old.sft).toMatchObject({ epochs: 3, batch_size: 4, learning_rate: 2 * usual.sft.learning_rate, max_steps: 0 });
  expect(config({ method: { type: 'supervised', supervised: { hyperparameters } } })).toEqual(old);
  expect(() => config({ hyperparameters, method: { type: 'dpo' } })).toThrow(/under `method`/);
});

it.each([
  ['dpo', ['dpo'], { dpo: { beta: 0.3 } }],
  ['kto', ['kto'], { kto: { beta: 0.3 } }],
  ['ppo', ['reward', 'ppo'], { ppo: { kl_coef: 0.3 } }],
] as const)('%s runs the stages %j', (type, stages, expected) => {
  const made = config({ method: { type, [type]: { hyperparameters: { beta: 0.3, form: 'bottleneck' } } } });
  expect(made).toMatchObject({ stages, form: 'bottleneck', ...expected });
});

it('pays reinforcement by its grader, over the file', () => {
  const grader = {
    type: 'string_check',
    name: 'same',
    operation: 'eq',
    input: '{{sample.output_text}}',
    reference: 'x',
  };
  const made = config({ method: { type: 'reinforcement', reinforcement: { grader } } });
  expect(made.grpo.grader).toMatchObject({ kind: 'rows', grader, file_id: 'file-a', user_id: 'user_1' });
  expect(made.data.files).toEqual([]);
  const judge = { type: 'score_model', name: 'judge', model: 'm', input: [{ role: 'user', content: 'x' }] };
  expect(() => config({ method: { type: 'reinforcement', reinforcement: { grader: judge } } })).toThrow('asks a model');
});

it('names what to start from', () => {
  expect(startOf('mini', 'mini')).toBe('base');
  expect(startOf('default', 'mini')).toBe('live');
  expect(startOf('mini:ckpt_1', 'mini')).toBe('ckpt_1');
  expect(() => startOf('gpt-4o', 'mini')).toThrow(/`gpt-4o`/);
});

it('writes every number of every step', () => {
  const steps = [
    { stage: 'sft', step: 1, values: { loss: 2 } },
    { stage: 'dpo', step: 1, values: { accuracy: 0.5 } },
  ];
  expect(resultCsv(steps)).toBe('stage,step,accuracy,loss\nsft,1,,2\ndpo,1,0.5,\n');
});
