import type { TuningJobConfig } from '@attune/contracts';
import type { TuningForm } from '@attune/training';
import type { DatasetRow } from '../curation/dataset.js';
import { MAX_ROW_TOKENS } from '../curation/dataset-builder.js';
import { MAX_ANSWER_TOKENS } from '../evaluation/answers.js';
import { samplerLimits } from '../model/base-model.js';
import type { RecipeContext } from '../recipes/recipe-context.js';
import { jobSizes } from './job-sizes.js';
import { type MemoryNeeded, refuseTooLarge } from './memory-limit.js';

type Job = Pick<RecipeContext, 'model' | 'config'>;

/**
 * Refuses a job whose weights alone would not fit, before anything of their size is made for it: rounded ones, a sampler.
 * @param allowedGb 0 = no limit
 * @throws InvalidRequestError
 */
export function refuseWithoutRows({ model, config }: Job, form: TuningForm, allowedGb: number): void {
  refuseWithRows({ model, config: { ...config, stages: [] } }, form, [], allowedGb);
}

/** Refuses a job that would not fit on these rows. @param allowedGb 0 = no limit @throws InvalidRequestError */
export function refuseWithRows(
  { model, config }: Job,
  form: TuningForm,
  rows: readonly DatasetRow[],
  allowedGb: number,
): MemoryNeeded {
  return refuseTooLarge({
    ...jobSizes(model, config, form, rows, samplerLimits(model, longestSampled(config))),
    model: model.config,
    allowed: allowedGb > 0 ? allowedGb * 1e9 : Infinity,
    device: model.memory && (model.device?.wish === 'auto' ? 'found' : 'named'),
  });
}

/** Tokens of the longest sequence that a job samples, its prompt among them. */
export const longestSampled = ({ ppo, grpo }: TuningJobConfig): number =>
  MAX_ROW_TOKENS + Math.max(MAX_ANSWER_TOKENS, ppo.max_answer_tokens, grpo.max_answer_tokens);
