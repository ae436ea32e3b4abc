import type { TuningJobConfig } from '@attune/contracts';
import type { Policy } from '../model/policy.js';
import { trainDpo } from '../recipes/dpo.recipe.js';
import { trainKto } from '../recipes/kto.recipe.js';
import { trainPpo } from '../recipes/ppo.recipe.js';
import type { RecipeContext } from '../recipes/recipe-context.js';
import { trainSft } from '../recipes/sft.recipe.js';
import { BRIEFLY_TAUGHT, copyOf, type Start, standingOf, startOf } from './briefly-taught.js';
import type { Experiment, Row } from './experiment.js';
import { memoryContext } from './memory-context.js';
import { timed } from './training-time.js';

/** Task families are asked so many questions each. */
const SUITE_EXAMPLES = 2;

type Train = (context: RecipeContext, start: Start, policy: Policy) => Promise<void>;
interface Method {
  readonly train: Train;
  readonly settings: Partial<TuningJobConfig>;
}

const { sft, ppo, dpo, kto } = BRIEFLY_TAUGHT;
const rounds = { ...ppo, iterations: 10 };
const pairs = { ...dpo, epochs: 6, max_steps: 40 };
const judged = { ...kto, epochs: 4, max_steps: 40 };
const withoutHold = { sft_coef: 0, replay_coef: 0 };

const moreSft: Train = (context, { data }, policy) => trainSft(context, policy, data.train.demonstrations);
const byPpo: Train = (context, { engine, reward, data }, policy) =>
  trainPpo(context, engine, policy, reward, data.train);
const byDpo: Train = (context, { engine, data }, policy) => trainDpo(context, engine, policy, data.train);
const byKto: Train = (context, { engine, data }, policy) => trainKto(context, engine, policy, data.train);

/** Every way to go on from the same brief SFT with the same feedback. */
const methods: Readonly<Record<string, Method>> = {
  'brief sft': { train: async () => undefined, settings: {} },
  'more sft': { train: moreSft, settings: { sft: { ...sft, max_steps: 40 } } },
  ppo: { train: byPpo, settings: { ppo: rounds } },
  'ppo without ptx': { train: byPpo, settings: { ppo: { ...rounds, ptx_coef: 0 } } },
  'ppo without kl': { train: byPpo, settings: { ppo: { ...rounds, kl_coef: 0, kl_budget: 1e9 } } },
  dpo: { train: byDpo, settings: { dpo: pairs } },
  'dpo by its loss alone': { train: byDpo, settings: { dpo: { ...pairs, ...withoutHold } } },
  ipo: { train: byDpo, settings: { dpo: { ...pairs, loss: 'ipo', beta: 0.5 } } },
  kto: { train: byKto, settings: { kto: judged } },
  'kto with nll': { train: byKto, settings: { kto: { ...judged, sft_coef: 1 } } },
  'kto by its loss alone': { train: byKto, settings: { kto: { ...judged, ...withoutHold } } },
};

/** What InstructGPT, DPO and KTO are compared by in their papers, on one set of feedback and from one policy. */
export const methodTable: Experiment = {
  expects:
    'PPO without ptx pays in the suite; DPO and KTO come near PPO at less cost, and by their loss alone they forget the suite.',
  variants: Object.keys(methods),
  async run(variant, host): Promise<Row> {
    const { train, settings } = methods[variant]!;
    const start = await startOf(host);
    const policy = copyOf(start.policy);
    const context = await memoryContext(host, { ...BRIEFLY_TAUGHT, ...settings, seed: host.seed });
    const { time } = await timed(() => train(context, start, policy));
    return { variant, figures: { ...(await standingOf(start, policy, SUITE_EXAMPLES)), ...time } };
  },
};
