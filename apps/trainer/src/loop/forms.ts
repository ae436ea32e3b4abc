import type { TuningJobConfig } from '@attune/contracts';
import { PREFERENCE_CONFIG } from './preference.js';

/**
 * SFT alone in every form. The rates are each form's own: what one learns best at ruins another. A soft prompt is so few
 * numbers that it takes the most steps (Lester et al. 2021 train 30,000).
 */
export function formConfigs(): Record<string, TuningJobConfig> {
  const { sft } = PREFERENCE_CONFIG;
  const form = (name: TuningJobConfig['form'], own: Partial<TuningJobConfig['sft']>): TuningJobConfig => ({
    ...PREFERENCE_CONFIG,
    stages: ['sft'],
    form: name,
    // Below a thousandth of the bundled model's weights.
    soft_prompt: { ...PREFERENCE_CONFIG.soft_prompt, tokens: 14 },
    sft: { ...sft, ...own },
  });
  return {
    'soft-prompt': form('soft-prompt', { learning_rate: 1e-3, epochs: 100, max_steps: 300 }),
    bottleneck: form('bottleneck', { learning_rate: 4e-3 }),
    lora: form('lora', { learning_rate: 4e-3 }),
    full: form('full', { learning_rate: 1e-3 }),
  };
}
