import type { Engine } from '@attune/engine';
import type { TaskSuite } from '@attune/tasks';
import { holding, type Scorer } from '@attune/training';
import type { DatasetSide } from '../curation/dataset.js';
import type { BaseModel } from '../model/base-model.js';
import { type FixedWeights, scorerOf } from '../model/policy.js';
import { serve, type Served } from '../model/served.js';
import { sequenceScores } from '../model/scoring.js';
import type { RewardModel } from '../recipes/reward-model.recipe.js';
import { answerAll, type Answer, type AnswerOptions } from './answers.js';
import type { GateMeasures } from './gate.js';
import { heldoutLoss } from './heldout-loss.js';
import { klToLive } from './kl.js';
import { compareSuites, measureSuite } from './task-suite.js';
import { winRate } from './win-rate.js';

export interface MeasurePlan {
  readonly model: BaseModel;
  readonly engine: Engine;
  readonly candidate: FixedWeights;
  readonly live: FixedWeights;
  readonly heldout: DatasetSide;
  /** Null when the job trained none that may be trusted: then nobody judges which answers are better. */
  readonly reward: RewardModel | null;
  readonly suite: TaskSuite;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Told what is measured next. */
  readonly onProgress: (done: number, of: number) => void;
}

/** Most held-out prompts that are answered, and most samples for the KL. */
const MAX_PROMPTS = 64;
const KL_SAMPLES = 32;
/** Answers shown to people beside the figures. */
const NUM_SAMPLES = 8;

/** Measures a candidate against the live weights on what neither was trained on. */
export async function measureCandidate(plan: MeasurePlan): Promise<GateMeasures> {
  const { model, engine, candidate, live } = plan;
  const served = { candidate: await serve(model, engine, candidate), live: await serve(model, engine, live) };
  const scorers = { candidate: scorerOf(model, candidate), live: scorerOf(model, live) };
  const held = [scorers.candidate, scorers.live, served.candidate, served.live];
  return holding(held, () => measure(plan, scorers, served));
}

async function measure(
  plan: MeasurePlan,
  scorers: { candidate: Scorer; live: Scorer },
  { candidate, live }: { candidate: Served; live: Served },
): Promise<GateMeasures> {
  const { model, heldout, onProgress } = plan;
  const steps = 4;
  const prompts = heldout.prompts.slice(0, MAX_PROMPTS);
  const ask = ({ engine, adapter }: Served): AnswerOptions => ({ ...plan, engine, adapter, temperature: 0 });
  onProgress(0, steps);
  const losses = {
    candidate: await heldoutLoss(heldout.demonstrations, scorers.candidate, model),
    live: await heldoutLoss(heldout.demonstrations, scorers.live, model),
  };
  onProgress(1, steps);
  const answers = { candidate: await answerAll(prompts, ask(candidate)), live: await answerAll(prompts, ask(live)) };
  const wins = await compareAnswers(plan.reward, answers);
  onProgress(2, steps);
  const repeated = Array.from({ length: prompts.length && KL_SAMPLES }, (_, i) => prompts[i % prompts.length]!);
  const kl = await klToLive(await answerAll(repeated, { ...ask(candidate), temperature: 1 }), scorers.live);
  onProgress(3, steps);
  const suite = compareSuites(
    await measureSuite(plan.suite, ask(candidate)),
    await measureSuite(plan.suite, ask(live)),
  );
  onProgress(4, steps);
  return {
    heldoutLoss:
      losses.candidate === null || losses.live === null ? null : { candidate: losses.candidate, live: losses.live },
    winRate: wins === null ? null : { value: wins, numPrompts: prompts.length },
    suite: { candidate: suite.candidate, live: suite.live },
    suiteByFamily: suite.byFamily,
    kl,
    samples: prompts.slice(0, NUM_SAMPLES).map((prompt, i) => ({
      prompt: prompt.findLast(({ role }) => role === 'user')?.content ?? '',
      candidate: answers.candidate[i]!.text,
      live: answers.live[i]!.text,
    })),
  };
}

async function compareAnswers(
  reward: RewardModel | null,
  { candidate, live }: { candidate: readonly Answer[]; live: readonly Answer[] },
): Promise<number | null> {
  if (reward === null) return null;
  const scores = async (answers: readonly Answer[]) =>
    sequenceScores(
      reward.scorer,
      answers.map(({ sequence }) => sequence),
    );
  const [ours, theirs] = [await scores(candidate), await scores(live)];
  return winRate(
    candidate.map(({ text }, i) => ({
      candidate: { text, score: ours[i]! },
      live: { text: live[i]!.text, score: theirs[i]! },
    })),
  );
}
