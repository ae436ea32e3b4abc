import type { TuningJobConfig } from '@attune/contracts';
import type { TuningForm } from '@attune/training';
import { MAX_ANSWER_TOKENS } from '../evaluation/answers.js';
import type { BatchSize, MemoryPlan, StageSize } from '../model/memory-estimate.js';
import { type RowSizes, together } from '../model/row-sizes.js';
import { SCORED_AT_ONCE } from '../model/scoring.js';
import { DRIFT_ANSWER_TOKENS } from '../recipes/drift.js';
import { thumbsOfBatch } from '../recipes/reward-model.recipe.js';

/** What a job's memory hangs on. */
export interface JobSizes {
  readonly config: TuningJobConfig;
  /** What is trained, which may be its parent's form. */
  readonly form: TuningForm;
  readonly rows: Readonly<Record<'demonstration' | 'preference' | 'thumb', RowSizes>>;
  /** The longest task that is replayed beside the rows, with its answer, in tokens. */
  readonly replayedRow: number;
  /** The longest prompt whose answers a grader pays, in tokens. */
  readonly gradedPrompt: number;
  readonly sampler: MemoryPlan['sampler'];
}

/** The batches that go through the model in each of a job's stages, and what it holds beside them. */
export function memoryPlan(sizes: JobSizes): MemoryPlan {
  const { config, form, sampler } = sizes;
  const stages = new Set<string>(config.stages);
  const wanted = Object.entries(STAGE_SIZES).filter(([name]) => stages.has(name));
  return {
    form,
    stages: [...wanted.map(([, sizeOf]) => sizeOf(sizes)), evaluation(sizes)],
    numReferences: Math.max(0, ...[...stages].map((stage) => COPIES_KEPT[stage] ?? 0)),
    numTrained: stages.has('reward') ? 2 : 1,
    activationCheckpointing: config.activation_checkpointing,
    baseWeights: config.base_weights,
    sampler,
  };
}

/** The reference, and where rounds are sampled also the last policy within its budget. */
const COPIES_KEPT: Readonly<Record<string, number>> = { dpo: 1, kto: 1, ppo: 2, grpo: 2 };

const STAGE_SIZES: Readonly<Record<TuningJobConfig['stages'][number], (sizes: JobSizes) => StageSize>> = {
  sft: (sizes) => {
    const { batch_size, replay_share } = sizes.config.sft;
    const { row } = sizes.rows.demonstration;
    return { step: whole(atOnce(sizes.config, batch_size), longestOf(row, replay_share, sizes)), passes: [] };
  },

  reward: ({ config, rows }) => {
    const pass = scored({ tokens: rows.preference.row, counted: 0 });
    return { step: rewardStep(config, rows), passes: [pass] };
  },

  dpo: (sizes) => {
    const { config, rows } = sizes;
    const { batch_size: batch, replay_coef: replay } = config.dpo;
    const pairs = config.micro_batch > 0 ? Math.min(Math.ceil(config.micro_batch / 2), batch) : batch;
    const tasks = replay > 0 ? tasksBeside(pairs, batch) : 0;
    return {
      step: whole(2 * pairs + tasks, longestOf(rows.preference.row, replay, sizes)),
      passes: [scored(longer(answered(rows.preference), drifted(sizes)))],
    };
  },

  kto: (sizes) => {
    const { config, rows } = sizes;
    const { batch_size: batch, replay_coef: replay } = config.kto;
    const judged = together(rows.thumb, rows.preference);
    const answers = atOnce(config, batch);
    const tasks = replay > 0 ? tasksBeside(answers, batch) : 0;
    // The reference point reads every answer behind another row's prompt.
    const mismatched = { tokens: judged.prompt + judged.answer, counted: judged.answer };
    return {
      step: whole(answers + tasks, longestOf(judged.row, replay, sizes)),
      // The reference also reads the data, and what is sampled to measure the drift.
      passes: [scored(longer(longer(mismatched, answered(judged)), drifted(sizes))), scored(mismatched, batch)],
    };
  },

  // Its minibatches are what is cut, not its micro-batches; each has as many supervised sequences beside the answers.
  ppo: (sizes) => {
    const { ppo } = sizes.config;
    const answers = Math.ceil(ppo.rollouts_per_iteration / ppo.minibatches);
    const sampled = { tokens: everyRow(sizes).prompt + ppo.max_answer_tokens, counted: ppo.max_answer_tokens };
    const supervised = ppo.ptx_coef > 0 ? longestOf(sizes.rows.demonstration.row, ppo.ptx_coef, sizes) : 0;
    const pass = scored(sampled, ppo.rollouts_per_iteration);
    const numbers = { ...pass, counted: 0 };
    return {
      step: whole(ppo.ptx_coef > 0 ? 2 * answers : answers, Math.max(sampled.tokens, supervised)),
      // Log-probs of reference and policy; values and rewards.
      passes: [pass, pass, numbers, numbers],
    };
  },

  // Every prompt stands in the batch once for each answer of its group.
  grpo: ({ config, gradedPrompt }) => {
    const { prompts_per_iteration: prompts, group_size, minibatches, max_answer_tokens } = config.grpo;
    const answers = prompts * group_size;
    const sampled = { tokens: gradedPrompt + max_answer_tokens, counted: max_answer_tokens };
    return {
      step: whole(atOnce(config, Math.ceil(answers / minibatches)), sampled.tokens),
      passes: [scored(sampled, answers)],
    };
  },
};

/** Candidate and live weights read held-out rows, and the answers to them. */
function evaluation(sizes: JobSizes): StageSize {
  const all = everyRow(sizes);
  const sampled = { tokens: all.prompt + MAX_ANSWER_TOKENS, counted: MAX_ANSWER_TOKENS };
  const pass = scored(longer(answered(all), sampled));
  return { step: null, passes: [pass, pass] };
}

/** The rankings with the most answers may meet in one batch; with micro-batches, thumbs have some of their own. */
function rewardStep(
  { micro_batch: micro, reward }: TuningJobConfig,
  { preference, thumb }: JobSizes['rows'],
): BatchSize {
  const numThumbs = thumb.row > 0 ? thumbsOfBatch(reward.batch_size, reward.thumb_share) : 0;
  const numRankings = reward.batch_size - numThumbs;
  const { rankings } = preference;
  const answersOf = (count: number) =>
    Array.from({ length: count }, (_, i) => rankings[i % rankings.length] ?? 2).reduce((sum, size) => sum + size, 0);
  const scores = (sequences: number, tokens: number): BatchSize => ({ sequences, tokens, counted: 0 });
  if (micro === 0) return scores(answersOf(numRankings) + numThumbs, Math.max(preference.row, thumb.row));
  const [ranked, judged] = [
    scores(answersOf(Math.min(Math.ceil(micro / 2), numRankings)), preference.row),
    scores(Math.min(micro, numThumbs), thumb.row),
  ];
  return ranked.sequences * ranked.tokens > judged.sequences * judged.tokens ? ranked : judged;
}

const atOnce = ({ micro_batch: micro }: TuningJobConfig, batch: number): number =>
  micro > 0 ? Math.min(micro, batch) : batch;

/** A step that counts every token: which of them are answers differs from row to row. */
const whole = (sequences: number, tokens: number): BatchSize => ({ sequences, tokens, counted: tokens });

/** Most of a batch's replayed tasks, half as many as its items, that go along with a part of it. */
const tasksBeside = (part: number, batch: number): number => Math.ceil(Math.ceil(batch / 2) / Math.ceil(batch / part));

/** The longest row of a batch that tasks are replayed in, unless their share is 0. */
const longestOf = (row: number, replay: number, { replayedRow }: JobSizes): number =>
  replay > 0 ? Math.max(row, replayedRow) : row;

const everyRow = ({ rows }: JobSizes): RowSizes => together(rows.demonstration, rows.preference, rows.thumb);

type Read = Pick<BatchSize, 'tokens' | 'counted'>;

/** A scoring pass over sequences such as this one. */
const scored = (read: Read, sequences = Infinity): BatchSize => ({
  ...read,
  sequences: Math.min(SCORED_AT_ONCE, sequences),
});

const answered = ({ row, answer }: RowSizes): Read => ({ tokens: row, counted: answer });

const drifted = (sizes: JobSizes): Read => ({
  tokens: everyRow(sizes).prompt + DRIFT_ANSWER_TOKENS,
  counted: DRIFT_ANSWER_TOKENS,
});

const longer = (one: Read, other: Read): Read => ({
  tokens: Math.max(one.tokens, other.tokens),
  counted: Math.max(one.counted, other.counted),
});
