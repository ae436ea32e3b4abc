import { type TuningJobConfig } from '@attune/contracts';
import { PREFERENCE_CONFIG } from './preference.js';

/** SFT cut short, so that there is something left to learn for what starts from it. */
export const BRIEFLY_TAUGHT: TuningJobConfig = {
  ...PREFERENCE_CONFIG,
  sft: { ...PREFERENCE_CONFIG.sft, max_steps: 25 },
};

/** Every way to learn from the same feedback, all of them behind the same brief SFT. */
export function methodConfigs(): Record<string, TuningJobConfig> {
  const few = BRIEFLY_TAUGHT;
  const ppo = { ...few.ppo, iterations: 10 };
  const [dpo, kto] = [
    { ...few.dpo, epochs: 6, max_steps: 60 },
    { ...few.kto, epochs: 4, max_steps: 60 },
  ];
  return {
    'sft only': { ...few, stages: ['sft'] },
    ppo: { ...few, ppo },
    'ppo without ptx': { ...few, ppo: { ...ppo, ptx_coef: 0 } },
    'ppo without kl': { ...few, ppo: { ...ppo, kl_coef: 0, kl_budget: 1e6 } },
    dpo: { ...few, stages: ['sft', 'dpo'], dpo },
    kto: { ...few, stages: ['sft', 'kto'], kto },
  };
}
