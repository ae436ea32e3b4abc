import type { ChatMessage, TuningJobConfig } from '@attune/contracts';
import { exampleAt, toConversation } from '@attune/tasks';
import type { TuningForm } from '@attune/training';
import { type DatasetRow, toDataset } from '../curation/dataset.js';
import { countTokens } from '../model/answer-sequence.js';
import type { BaseModel } from '../model/base-model.js';
import { longestPrompt, rowSizes } from '../model/row-sizes.js';
import { gradedPrompts } from '../recipes/grpo.recipe.js';
import type { JobSizes } from './memory-plan.js';

/** So many of the tasks that may be replayed are looked at: they are drawn anew in every step, and much alike. */
const TASKS_LOOKED_AT = 256;

/** Measures what a job's data ask of memory. @throws InvalidRequestError for a grader that has nothing to grade */
export function jobSizes(
  model: Pick<BaseModel, 'tokenizer'>,
  config: TuningJobConfig,
  form: TuningForm,
  rows: readonly DatasetRow[],
  sampler: JobSizes['sampler'],
): JobSizes {
  const { tokenizer } = model;
  const sizesOf = (kind: DatasetRow['kind']) =>
    rowSizes(
      tokenizer,
      rows.filter((row) => row.kind === kind),
    );
  return {
    config,
    form,
    rows: {
      demonstration: sizesOf('demonstration'),
      preference: sizesOf('preference'),
      thumb: sizesOf('thumb'),
    },
    replayedRow: longestTask(model),
    gradedPrompt: config.stages.includes('grpo') ? longestPrompt(tokenizer, allGraded(config, rows)) : 0,
    sampler,
  };
}

/** Every prompt of every round: they are a pure function of the job's seed. */
function allGraded(config: TuningJobConfig, rows: readonly DatasetRow[]): (readonly ChatMessage[])[] {
  const promptsOf = gradedPrompts(config, toDataset(rows).train);
  const { iterations, prompts_per_iteration: count } = config.grpo;
  const rounds = Array.from({ length: iterations }, (_, round) => promptsOf(round, count));
  return rounds.flat().map(({ messages }) => messages);
}

function longestTask({ tokenizer }: Pick<BaseModel, 'tokenizer'>): number {
  const tasks = Array.from({ length: TASKS_LOOKED_AT }, (_, i) => toConversation(exampleAt(0, i)));
  return tasks.reduce((longest, messages) => Math.max(longest, countTokens(tokenizer, messages)), 0);
}
