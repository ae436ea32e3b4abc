import type { TuningJobConfig } from '@attune/contracts';
import { trainPpo } from '../recipes/ppo.recipe.js';
import { BRIEFLY_TAUGHT, copyOf, standingOf, startOf } from './briefly-taught.js';
import type { Experiment, Row } from './experiment.js';
import { memoryContext } from './memory-context.js';

/** Rounds after which answers to unseen prompts are looked at. */
const LOOK_EVERY = 5;
const SUITE_EXAMPLES = 1;

type PpoSettings = TuningJobConfig['ppo'];
/** More than twice the recipe's rate: what goes wrong is to be seen within minutes. */
const rounds: PpoSettings = { ...BRIEFLY_TAUGHT.ppo, iterations: 15, rollouts_per_iteration: 24, learning_rate: 7e-4 };
const free: PpoSettings = { ...rounds, ptx_coef: 0, kl_coef: 0, kl_budget: 1e9 };

/** The same rounds with nothing that holds them, and with what does. */
const variants: Readonly<Record<string, PpoSettings>> = {
  free,
  'price of KL': { ...free, kl_coef: 0.3 },
  'budget of 2 nats': { ...free, kl_budget: 2 },
  'ptx with price and budget': rounds,
};

/**
 * A reward model is a stand-in for people, and what is optimised against a stand-in comes to fit it alone (Gao et al.
 * 2023, https://arxiv.org/abs/2210.10760). Round by round: the reward model's score of answers to unseen prompts, what
 * people would say of answers to them, and how far the policy is from where it began.
 */
export const overOptimisation: Experiment = {
  expects:
    'With nothing to hold it, PPO drives the reward up while what people want falls; a price of KL, or the budget, keeps it.',
  variants: Object.keys(variants),
  async run(variant, host): Promise<Row[]> {
    const start = await startOf(host);
    const policy = copyOf(start.policy);
    const looks = new Map<number, Row>();
    const look = async (round: number) => {
      const figures = { ...(await standingOf(start, policy, SUITE_EXAMPLES)) };
      looks.set(round, { variant: `${variant}, round ${String(round).padStart(2)}`, figures });
    };
    await look(0);
    const config = { ...BRIEFLY_TAUGHT, seed: host.seed, ppo: variants[variant]! };
    const context = await memoryContext(host, config, async ({ stage, step, finished }) => {
      const due = stage === 'ppo' && (step % LOOK_EVERY === 0 || finished.includes('ppo'));
      if (due && !looks.has(step)) await look(step);
    });
    await trainPpo(context, start.engine, policy, start.reward, start.data.train);
    return [...looks.values()];
  },
};
