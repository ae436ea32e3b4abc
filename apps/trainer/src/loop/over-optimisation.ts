import { type TuningJobConfig, tuningJobConfig } from '@attune/contracts';
import type { Engine } from '@attune/engine';
import { deriveSeed } from '@attune/platform';
import { copyParameters, standardized } from '@attune/training';
import { MAX_ROW_TOKENS } from '../curation/dataset-builder.js';
import { answerAll } from '../evaluation/answers.js';
import { klToLive } from '../evaluation/kl.js';
import { gateSuite, measureSuite } from '../evaluation/task-suite.js';
import { loadEngine } from '../model/base-model.js';
import { type Policy, scorerOf, weightsOf } from '../model/policy.js';
import { sequenceScores } from '../model/scoring.js';
import { serve } from '../model/served.js';
import { mean } from '../recipes/figures.js';
import { type PpoData, trainPpo } from '../recipes/ppo.recipe.js';
import { type RewardModel, trainRewardModel } from '../recipes/reward-model.recipe.js';
import { trainSft } from '../recipes/sft.recipe.js';
import { initialPolicy } from '../recipes/starting-policy.js';
import type { Experiment, ExperimentHost, Row } from './experiment.js';
import { judge } from './judged.js';
import { memoryContext } from './memory-context.js';
import { BRIEFLY_TAUGHT } from './methods.js';
import { preference } from './preference.js';
import { askAndCurate } from './rehearse.js';
import type { Scenario } from './scenario.js';

/** Rounds after which answers to unseen prompts are looked at. */
const LOOK_EVERY = 5;
const SUITE_EXAMPLES = 1;

const config: TuningJobConfig = tuningJobConfig.parse({
  ...BRIEFLY_TAUGHT,
  ppo: { iterations: 30, rollouts_per_iteration: 24, minibatches: 2, ppo_epochs: 2, max_answer_tokens: 32 },
});
const unbounded = { ...config.ppo, learning_rate: 1e-3, ptx_coef: 0, kl_coef: 0, kl_budget: 1e9 };

/** The same rounds with nothing that holds them, and with each of the three things that do. */
const variants: Readonly<Record<string, TuningJobConfig['ppo']>> = {
  free: unbounded,
  'price of KL': { ...unbounded, kl_coef: 0.2 },
  budget: { ...unbounded, kl_budget: config.ppo.kl_budget },
  'price, budget, ptx': { ...unbounded, kl_coef: 0.05, kl_budget: config.ppo.kl_budget, ptx_coef: config.ppo.ptx_coef },
};

/**
 * A reward model is a stand-in for people, and what is optimised against a stand-in comes to fit it alone (Gao et al.
 * 2023, https://arxiv.org/abs/2210.10760). Round by round: the reward model's score of answers to unseen prompts, what
 * people would say of the same answers, and how far the policy is from where it began.
 */
export const overOptimisation: Experiment = {
  expects:
    'With nothing to hold it, PPO drives the reward up while what people want falls; a price of KL, or the budget, keeps it.',
  variants: Object.keys(variants),
  async run(variant, host): Promise<Row[]> {
    const start = await startOf(host);
    const rows: Row[] = [];
    const policy = { ...start.policy, parameters: copyParameters(start.policy.parameters) };
    const look = async (round: number) => {
      const figures = await measure(host, start, policy);
      rows.push({ variant: `${variant}, round ${String(round).padStart(2)}`, figures });
    };
    await look(0);
    let last = 0;
    const context = await memoryContext(host, { ...config, seed: host.seed, ppo: variants[variant]! }, async (run) => {
      if (run.stage !== 'ppo' || (run.step % LOOK_EVERY !== 0 && !run.finished.includes('ppo')) || run.step === last)
        return;
      await look((last = run.step));
    });
    await trainPpo(context, start.engine, policy, start.reward, start.data);
    return rows;
  },
};

interface Start {
  readonly scenario: Scenario;
  readonly engine: Engine;
  readonly policy: Policy;
  readonly reward: RewardModel;
  readonly data: PpoData;
}

let known: { seed: number; start: Promise<Start> } | null = null;

/** Policy and reward model that every variant of a seed begins with. */
async function startOf(host: ExperimentHost): Promise<Start> {
  if (known?.seed !== host.seed) {
    await (await known?.start)?.engine.close();
    known = { seed: host.seed, start: prepare(host) };
  }
  return known.start;
}

async function prepare(host: ExperimentHost): Promise<Start> {
  const scenario = preference({ ...config, seed: host.seed });
  const engine = await loadEngine(host.model, MAX_ROW_TOKENS);
  const data = await askAndCurate(scenario, host, engine);
  const context = await memoryContext(host, scenario.config);
  const policy = initialPolicy(host.model, scenario.config);
  await trainSft(context, policy, data.train.demonstrations);
  return { scenario, engine, policy, reward: await trainRewardModel(context, policy, data), data: data.train };
}

/** What reward model and people make of sampled answers to unseen prompts, and what the policy has become beside. */
async function measure({ model }: ExperimentHost, start: Start, policy: Policy): Promise<Row['figures']> {
  const { scenario, engine, reward } = start;
  const signal = new AbortController().signal;
  const served = await serve(model, engine, weightsOf(policy));
  const reference = scorerOf(model, weightsOf(start.policy));
  const options = { engine, model, adapter: served.adapter, seed: deriveSeed(scenario.config.seed, 'look'), signal };
  try {
    const answers = await answerAll(scenario.unseen, { ...options, temperature: 1 });
    const sequences = answers.map(({ sequence }) => sequence);
    const scores = await sequenceScores(reward.scorer, sequences);
    const suite = await measureSuite(gateSuite(SUITE_EXAMPLES), { ...options, temperature: 0 });
    return {
      reward: mean(scores.map((score) => standardized(score, reward.scale))),
      ...judge(
        scenario,
        answers.map(({ text }) => text),
      ),
      kl: await klToLive(answers, reference),
      suite: mean(suite.perFamily.map(({ exactMatch }) => exactMatch)),
      tokens: mean(sequences.map(({ ids, answerStart }) => ids.length - answerStart)),
    };
  } finally {
    await reference.release();
    await served.release();
  }
}
