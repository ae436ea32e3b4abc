import type { TuningJobConfig } from '@attune/contracts';
import type { Experiment, ExperimentHost, Row } from './experiment.js';
import { formConfigs } from './forms.js';
import { methodTable } from './methods.js';
import { overOptimisation } from './over-optimisation.js';
import { preference, PREFERENCE_CONFIG } from './preference.js';
import { rationale } from './rationale.js';
import { rehearse, type Rehearsal } from './rehearse.js';
import { reward } from './reward.js';
import type { Scenario } from './scenario.js';
import { signOff } from './sign-off.js';
import { thumbs, thumbsConfigs } from './thumbs.js';
import { zeroShot } from './zero-shot.js';

/** Every experiment by the name `npm run loop -- --scenario <name>` knows it under. */
export const experiments: Readonly<Record<string, Experiment>> = {
  'sign-off': loop('From none to more than 80 % of unseen prompts, through SFT, reward model and PPO.', () =>
    signOff(),
  ),
  preference: loop(
    'Corrections, choices and thumbs of 200 people: from < 20 % to > 80 %, the suite within 2 points, in 5 minutes.',
    (seed) => preference({ ...PREFERENCE_CONFIG, seed }),
  ),
  methods: methodTable,
  thumbs: compared(
    'Thumbs alone, without a pair or a word written: KTO makes clearly more answers right, the suite within 2 points.',
    thumbs,
    thumbsConfigs(),
  ),
  forms: compared(
    'LoRA keeps up with all weights at a fraction of the bytes; a soft prompt learns less, in fewer still and more steps.',
    preference,
    formConfigs(),
  ),
  'over-optimisation': overOptimisation,
  reward,
  rationale,
  'zero-shot': zeroShot,
};

/** A scenario under one configuration. */
function loop(expects: string, scenario: (seed: number) => Scenario): Experiment {
  return { expects, variants: ['all'], run: (variant, host) => runScenario(variant, scenario(host.seed), host) };
}

/** A scenario under several. */
function compared(
  expects: string,
  scenario: (config: TuningJobConfig) => Scenario,
  configs: Readonly<Record<string, TuningJobConfig>>,
): Experiment {
  return {
    expects,
    variants: Object.keys(configs),
    run: (variant, host) => runScenario(variant, scenario({ ...configs[variant]!, seed: host.seed }), host),
  };
}

async function runScenario(variant: string, scenario: Scenario, host: ExperimentHost): Promise<Row> {
  const config = { ...scenario.config, seed: host.seed };
  return { variant, figures: figuresOf(await rehearse({ ...scenario, config }, host)) };
}

function figuresOf({ before, after, time, numTrained, rewardAccuracy, measures, report }: Rehearsal) {
  return {
    before: before.shown,
    after: after.shown,
    right_before: before.right,
    right: after.right,
    satisfied: after.satisfied,
    suite: measures.suite.candidate,
    suite_live: measures.suite.live,
    kl: measures.kl,
    heldout_loss: measures.heldoutLoss?.candidate ?? null,
    win_rate: measures.winRate?.value ?? null,
    reward_accuracy: rewardAccuracy,
    passed: Number(report.passed),
    ...time,
    trained_kilobytes: (numTrained * 4) / 1000,
  };
}
