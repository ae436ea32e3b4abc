import type { TuningJobConfig } from '@attune/contracts';
import { PREFERENCE_CONFIG } from './preference.js';

/**
 * SFT alone in every form. The rates are each form's own: what one learns best at ruins another. A soft prompt is so few
 * numbers that it takes the most steps, and the largest ones (Lester et al. 2021 train 30,000 at 0.3).
 */
export function formConfigs(): Record<string, TuningJobConfig> {
  const { sft } = PREFERENCE_CONFIG;
  const form = (name: TuningJobConfig['form'], own: Partial<TuningJobConfig['sft']>): TuningJobConfig => ({
    ...PREFERENCE_CONFIG,
    stages: ['sft'],
    form: name,
    sft: { ...sft, ...own },
    soft_prompt: { tokens: 20 },
  });
  return {
    'soft-prompt': form('soft-prompt', { learning_rate: 3e-2, epochs: 100, max_steps: 300 }),
    bottleneck: form('bottleneck', { learning_rate: 4e-3 }),
    lora: form('lora', { learning_rate: 4e-3 }),
    full: form('full', { learning_rate: 1e-3 }),
  };
}
