import type { TuningJobConfig } from '@attune/contracts';
import { AdamW, SOFT_PROMPT } from '@attune/training';

/**
 * The optimizer of every recipe. Virtual tokens take larger steps than matrices do: they are few, and must become what no
 * word of the vocabulary is.
 */
export const optimizerOf = ({ soft_prompt }: Pick<TuningJobConfig, 'soft_prompt'>): AdamW =>
  new AdamW({ weightDecay: 0, rateScales: new Map([[SOFT_PROMPT, soft_prompt.rate_scale]]) });
