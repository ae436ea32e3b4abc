import { type TuningJobConfig, tuningJobConfig } from '@attune/contracts';
import type { Experiment, ExperimentHost, Row } from './experiment.js';
import { preference, PREFERENCE_CONFIG } from './preference.js';
import { rationale } from './rationale.js';
import { rehearse, type Rehearsal } from './rehearse.js';
import { reward } from './reward.js';
import type { Scenario } from './scenario.js';
import { signOff } from './sign-off.js';
import { zeroShot } from './zero-shot.js';

/** Every experiment by the name `npm run loop -- --scenario <name>` knows it under. */
export const experiments: Readonly<Record<string, Experiment>> = {
  'sign-off': loop('From none to more than 80 % of unseen prompts, through SFT, reward model and PPO.', signOff),
  preference: loop(
    'Corrections, choices and thumbs of 200 people: from < 20 % to > 80 %, the suite within 2 points, in 5 minutes.',
    preference,
  ),
  methods: compared(
    'PPO without ptx pays in the suite, PPO without KL leaves the reference; DPO and KTO come near PPO at less cost.',
    methodConfigs(),
  ),
  forms: compared(
    'LoRA keeps up with all weights at a hundredth of the bytes; a soft prompt learns less, in fewer still.',
    formConfigs(),
  ),
  reward,
  rationale,
  'zero-shot': zeroShot,
};

/** A scenario under one configuration. */
function loop(expects: string, scenario: () => Scenario): Experiment {
  return { expects, variants: ['all'], run: (variant, host) => runScenario(variant, scenario(), host) };
}

/** The preference scenario under several. */
function compared(expects: string, configs: Readonly<Record<string, TuningJobConfig>>): Experiment {
  return {
    expects,
    variants: Object.keys(configs),
    run: (variant, host) => runScenario(variant, preference(configs[variant]), host),
  };
}

async function runScenario(variant: string, scenario: Scenario, host: ExperimentHost): Promise<Row> {
  const config = { ...scenario.config, seed: host.seed };
  return { variant, figures: figuresOf(await rehearse({ ...scenario, config }, host)) };
}

function figuresOf({ before, after, trainSeconds, numTrained, rewardAccuracy, measures, report }: Rehearsal) {
  return {
    before,
    after,
    suite: measures.suite.candidate,
    suite_live: measures.suite.live,
    kl: measures.kl,
    heldout_loss: measures.heldoutLoss?.candidate ?? null,
    win_rate: measures.winRate?.value ?? null,
    reward_accuracy: rewardAccuracy,
    passed: Number(report.passed),
    train_seconds: trainSeconds,
    trained_kilobytes: (numTrained * 4) / 1000,
  };
}

/** SFT cut short, so that there is something left for the others to learn; all of them start from it. */
function methodConfigs(): Record<string, TuningJobConfig> {
  const few = { ...PREFERENCE_CONFIG, sft: { ...PREFERENCE_CONFIG.sft, max_steps: 25 } };
  const ppo = { ...few.ppo, iterations: 10 };
  const offline = tuningJobConfig.parse({
    dpo: { epochs: 6, max_steps: 60, learning_rate: 1e-3, batch_size: 16 },
    kto: { epochs: 4, max_steps: 60, learning_rate: 1e-3, batch_size: 16 },
  });
  const { dpo, kto } = offline;
  return {
    'sft only': { ...few, stages: ['sft'] },
    ppo: { ...few, ppo },
    'ppo without ptx': { ...few, ppo: { ...ppo, ptx_coef: 0 } },
    'ppo without kl': { ...few, ppo: { ...ppo, kl_coef: 0, kl_budget: 1e6 } },
    dpo: { ...few, stages: ['sft', 'dpo'], dpo },
    kto: { ...few, stages: ['sft', 'kto'], kto },
  };
}

/** The rates are each form's own: what one learns best at ruins another. */
function formConfigs(): Record<string, TuningJobConfig> {
  const { sft } = PREFERENCE_CONFIG;
  const form = (name: TuningJobConfig['form'], rate: number): TuningJobConfig => ({
    ...PREFERENCE_CONFIG,
    stages: ['sft'],
    form: name,
    sft: { ...sft, learning_rate: rate },
    soft_prompt: { tokens: 8 },
  });
  return {
    'soft-prompt': form('soft-prompt', 3e-2),
    bottleneck: form('bottleneck', 4e-3),
    lora: form('lora', 4e-3),
    full: form('full', 1e-3),
  };
}
