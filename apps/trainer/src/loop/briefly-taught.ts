import type { TuningJobConfig } from '@attune/contracts';
import type { Engine } from '@attune/engine';
import { deriveSeed } from '@attune/platform';
import { copyParameters, standardized } from '@attune/training';
import type { Dataset } from '../curation/dataset.js';
import { MAX_ROW_TOKENS } from '../curation/dataset-builder.js';
import { answerAll } from '../evaluation/answers.js';
import { klToLive } from '../evaluation/kl.js';
import { compareSuites, gateSuite, measureSuite } from '../evaluation/task-suite.js';
import { type BaseModel, loadEngine } from '../model/base-model.js';
import { type Policy, scorerOf, weightsOf } from '../model/policy.js';
import { sequenceScores } from '../model/scoring.js';
import { serve } from '../model/served.js';
import { mean } from '../recipes/figures.js';
import { type RewardModel, trainRewardModel } from '../recipes/reward-model.recipe.js';
import { trainSft } from '../recipes/sft.recipe.js';
import { initialPolicy } from '../recipes/starting-policy.js';
import type { ExperimentHost } from './experiment.js';
import { judge, type Judged } from './judged.js';
import { memoryContext } from './memory-context.js';
import { preference, PREFERENCE_CONFIG } from './preference.js';
import { askAndCurate } from './rehearse.js';
import type { Scenario } from './scenario.js';

/** SFT cut short, so that there is something left to learn for what starts from it. */
export const BRIEFLY_TAUGHT: TuningJobConfig = {
  ...PREFERENCE_CONFIG,
  sft: { ...PREFERENCE_CONFIG.sft, max_steps: 25 },
};

/** Where methods that are compared all begin: the same people, the same brief SFT, the same reward model. */
export interface Start {
  readonly scenario: Scenario;
  /** Over the base weights that the scenario asks for. */
  readonly model: BaseModel;
  readonly engine: Engine;
  readonly policy: Policy;
  readonly reward: RewardModel;
  readonly data: Dataset;
}

let known: { seed: number; start: Promise<Start> } | null = null;

/** The start of the host's seed, made once; the engine of the seed before is closed. */
export async function startOf(host: ExperimentHost): Promise<Start> {
  if (known?.seed !== host.seed) {
    await (await known?.start)?.engine.close();
    known = { seed: host.seed, start: prepare(host) };
  }
  return known.start;
}

/** The policy after SFT, in arrays of its own. */
export const copyOf = ({ form, parameters }: Policy): Policy => ({ form, parameters: copyParameters(parameters) });

async function prepare(host: ExperimentHost): Promise<Start> {
  const scenario = preference({ ...BRIEFLY_TAUGHT, seed: host.seed });
  const context = await memoryContext(host, scenario.config);
  const { model } = context;
  const engine = await loadEngine(model, MAX_ROW_TOKENS);
  const data = await askAndCurate(scenario, model, engine);
  const policy = initialPolicy(model, scenario.config);
  await trainSft(context, policy, data.train.demonstrations);
  return { scenario, model, engine, policy, reward: await trainRewardModel(context, policy, data), data };
}

export interface Standing extends Judged {
  /** Mean score of sampled answers to unseen prompts, in deviations of the preference data. */
  readonly reward: number;
  /** Nats an answer is away from the policy after SFT. */
  readonly kl: number;
  /** Exact match on the task suite. */
  readonly suite: number;
  /** Mean length of a sampled answer. */
  readonly tokens: number;
}

/** What reward model and people make of answers to unseen prompts, and what the policy has become beside. */
export async function standingOf(
  { scenario, model, engine, reward, policy: before }: Start,
  policy: Policy,
  examplesPerFamily: number,
): Promise<Standing> {
  const served = await serve(model, engine, weightsOf(policy));
  const reference = scorerOf(model, weightsOf(before));
  const seed = deriveSeed(scenario.config.seed, 'standing');
  const options = { engine: served.engine, model, adapter: served.adapter, seed, signal: new AbortController().signal };
  try {
    const greedy = await answerAll(scenario.unseen, { ...options, temperature: 0 });
    const sampled = await answerAll(scenario.unseen, { ...options, temperature: 1 });
    const sequences = sampled.map(({ sequence }) => sequence);
    const scores = await sequenceScores(reward.scorer, sequences);
    const suite = await measureSuite(gateSuite(examplesPerFamily), { ...options, temperature: 0 });
    return {
      ...judge(
        scenario,
        greedy.map(({ text }) => text),
      ),
      reward: mean(scores.map((score) => standardized(score, reward.scale))),
      kl: (await klToLive(sampled, reference))!,
      suite: compareSuites(suite, suite).candidate,
      tokens: mean(sequences.map(({ ids, answerStart }) => ids.length - answerStart)),
    };
  } finally {
    await reference.release();
    await served.release();
  }
}
