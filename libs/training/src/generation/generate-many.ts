import { setMaxListeners } from 'node:events';
import { collect, type Generation, type TokenEngine } from '@attune/engine';
import { CancelledError, InternalError, InvalidRequestError } from '@attune/platform';

export interface GenerationPlan {
  /** Names this batch in request ids. */
  readonly name: string;
  readonly prompts: readonly (readonly number[])[];
  /** Digest of the adapter to answer with; null = the base model. */
  readonly adapter: string | null;
  /** Most tokens of an answer; fewer after a prompt that leaves less room in the engine's sequences. */
  readonly maxTokens: number;
  readonly stopIds: readonly number[];
  /** 0 = greedy, 1 = the model's own distribution. */
  readonly temperature: number;
  /** Seed of the prompt at `index`; the same seed gives the same answer, whatever else is in the batch. */
  readonly seedOf: (index: number) => number;
  readonly signal?: AbortSignal;
}

export interface SampledAnswer {
  /** Without the stop token. */
  readonly tokens: readonly number[];
  /** Natural log of the model's probability of each token at temperature 1. */
  readonly logProbs: readonly number[];
  /** The token that ended the answer with its log-prob; null when it was cut at the limit. */
  readonly stop: { readonly token: number; readonly logProb: number } | null;
}

/**
 * Answers all prompts at once, as many side by side as the engine has slots; in the order of the prompts.
 * @throws InvalidRequestError for a prompt that leaves no room for an answer, CancelledError when the signal is aborted
 */
export async function generateMany(engine: TokenEngine, plan: GenerationPlan): Promise<SampledAnswer[]> {
  // Every prompt listens to the same signal; that many listeners are no leak.
  if (plan.signal) setMaxListeners(0, plan.signal);
  const { limits } = await engine.stats();
  const rooms = plan.prompts.map(({ length }, index) => answerRoom(plan, index, limits.maxSeq - length));
  return Promise.all(
    plan.prompts.map((promptIds, index) =>
      generateOne(engine, { ...plan, maxTokens: rooms[index]! }, promptIds, index),
    ),
  );
}

function answerRoom({ name, maxTokens }: GenerationPlan, index: number, left: number): number {
  if (left < 1)
    throw new InvalidRequestError(`prompt ${index} of ${name} fills the engine's sequence; no answer fits behind it`);
  return Math.min(maxTokens, left);
}

async function generateOne(
  engine: TokenEngine,
  plan: GenerationPlan,
  promptIds: readonly number[],
  index: number,
): Promise<SampledAnswer> {
  const { maxTokens, stopIds, adapter, temperature } = plan;
  const id = `${plan.name}-${index}`;
  const sampling = { temperature, seed: plan.seedOf(index) };
  const request = { id, promptIds, maxTokens, stopIds, adapter, sampling, logProbs: true };
  return toAnswer(id, await collect(engine.generate(request, { signal: plan.signal })));
}

function toAnswer(id: string, { tokens, logProbs, finished }: Generation): SampledAnswer {
  const { reason, error, stopToken } = finished;
  if (reason === 'cancelled') throw new CancelledError(`sampling ${id} was cancelled`);
  if (reason !== 'stop' && reason !== 'length') throw new InternalError(`sampling ${id} ended as ${reason}: ${error}`);
  if (reason === 'length') return { tokens, logProbs, stop: null };
  if (stopToken?.logProb === undefined) throw new InternalError(`sampling ${id} gave no log-prob of its stop token`);
  return { tokens, logProbs, stop: { token: stopToken.token, logProb: stopToken.logProb } };
}
