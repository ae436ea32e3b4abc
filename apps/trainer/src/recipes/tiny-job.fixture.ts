import type { TrainingState } from '@attune/checkpoint';
import { type TuningJobConfig, tuningJobConfig } from '@attune/contracts';
import { systemClock } from '@attune/platform';
import type { Dataset, DatasetSide } from '../curation/dataset.js';
import { type RunCursor, RunState, type StateStore } from '../jobs/run-state.js';
import { type BaseModel, loadEngine } from '../model/base-model.js';
import type { RecipeContext } from './recipe-context.js';
import { initialPolicy } from './starting-policy.js';
import { type Candidate, trainCandidate } from './train-candidate.js';

/** Demonstrations, a reward model and PPO, in seconds. */
export const tinyConfig = tuningJobConfig.parse({
  lora: { rank: 2, targets: ['q_proj', 'v_proj'] },
  sft: { epochs: 2, batch_size: 4, learning_rate: 5e-3 },
  reward: { epochs: 2, batch_size: 4, learning_rate: 5e-3, min_accuracy: 0 },
  ppo: { iterations: 3, rollouts_per_iteration: 4, max_answer_tokens: 6, learning_rate: 5e-3 },
});

/** Everything but PPO's chain: what learns from preferences, thumbs and graders, one of each. */
export const tinyOthers = tuningJobConfig.parse({
  stages: ['dpo', 'kto', 'grpo'],
  lora: { rank: 2, targets: ['q_proj', 'v_proj'] },
  dpo: { epochs: 4, batch_size: 4, learning_rate: 5e-3 },
  kto: { epochs: 2, batch_size: 4, learning_rate: 5e-3 },
  grpo: {
    iterations: 3,
    prompts_per_iteration: 2,
    group_size: 3,
    max_answer_tokens: 6,
    learning_rate: 5e-3,
    grader: { kind: 'regex', pattern: '[a-m]' },
  },
});

/** What a tokenizer for the tiny data must know. */
export const tinyWords = ['over', 'and', 'out', 'ship', 'port', 'sea'];

const side = (names: readonly string[]): DatasetSide => {
  const prompts = names.map((name) => [{ role: 'user' as const, content: `Say ${name}.` }]);
  return {
    prompts,
    demonstrations: prompts.map((prompt, i) => ({ prompt, answer: `${names[i]} over` })),
    thumbs: prompts.map((prompt, i) => ({
      prompt,
      answer: i % 2 ? `${names[i]} over` : `${names[i]}`,
      liked: i % 2 === 1,
    })),
    preferences: prompts.map((prompt, i) => ({ prompt, chosen: `${names[i]} over`, rejected: `${names[i]}` })),
    graded: [],
  };
};

export const tinyData: Dataset = { train: side(tinyWords.slice(0, 5)), heldout: side(tinyWords.slice(5)) };

/** What a run said of its steps, in order. */
export interface Told {
  stages: string[];
  values: Record<string, number>[];
}

export const nothingTold = (): Told => ({ stages: [], values: [] });

/** Keeps the last save as a disk would: by value. */
export function memoryStore(): StateStore {
  let kept: TrainingState<RunCursor> | undefined;
  return {
    save: async ({ arrays, json }) => void (kept = structuredClone({ arrays: new Map(arrays), json })),
    load: async () => structuredClone(kept),
  };
}

export interface TinyRun {
  readonly store?: StateStore;
  readonly told?: Told;
  /** Kills the run before so many steps are written down. */
  readonly diesAt?: number;
  readonly job?: TuningJobConfig;
  /** Whose weights are sampled from; default: those that are trained over. */
  readonly sampled?: BaseModel;
  /** Stops it in good order. */
  readonly signal?: AbortSignal;
  /** Default 0: after every step. */
  readonly saveEveryMs?: number;
  /** Told what is out of the ordinary; without it that is an error. */
  readonly warn?: (message: string) => void;
}

/** Runs all stages of a job and saves after every step. */
export async function runTinyJob(model: BaseModel, run: TinyRun = {}): Promise<Candidate> {
  const { store = memoryStore(), told = nothingTold(), diesAt = Infinity, job = tinyConfig } = run;
  const { signal = new AbortController().signal, saveEveryMs = 0 } = run;
  const unexpected = (message: string) => {
    throw new Error(`unexpected: ${message}`);
  };
  const journal = {
    step: (stage: string, _: number, values: Record<string, number>) => {
      if (told.stages.length >= diesAt) throw new Error('killed');
      told.stages.push(stage);
      told.values.push(values);
    },
    progress: () => undefined,
    info: () => undefined,
    warn: run.warn ?? unexpected,
    flush: async () => undefined,
  };
  const state = await RunState.open(store, async () => null, 'base');
  const context = { model, config: job, state, journal, clock: systemClock, signal, saveEveryMs };
  const engine = await loadEngine(run.sampled ?? model, 64);
  try {
    const candidate = await trainCandidate(
      context as unknown as RecipeContext,
      engine,
      initialPolicy(model, job),
      tinyData,
    );
    await candidate.reward?.scorer.release();
    return candidate;
  } catch (error) {
    if (signal.aborted) await state.saveWhenWhole();
    throw error;
  } finally {
    await engine.close();
  }
}
