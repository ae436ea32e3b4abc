import { gather, mul, type Tensor } from '@attune/graph';
import type { ModelConfig } from '@attune/models';
import type { TensorMap } from '@attune/runtime';
import { float32Vector, int64Vector } from '../batches/feeds.js';
import { REWARD_HEAD } from '../step/heads.js';
import type { ModelGraph } from '../step/model-graph.js';
import { type FrozenSet, parameter, type ParameterSet } from '../step/parameters.js';
import { sumInto } from './answer-sums.js';

/** The one parameter: a weight for every token of the vocabulary, then the buckets of every longer run. */
const NGRAM_WEIGHTS = `${REWARD_HEAD}.ngrams`;

/** Buckets that runs of one length share: of all possible runs few are ever seen (Weinberger et al. 2009). */
const BUCKETS = 2 ** 15;
/**
 * What a weight is multiplied by. Adam moves every weight by about the learning rate a step, whatever its gradient; a
 * rare word must count after a few steps, at the rate that suits the model beside it.
 */
const SCALE = 10;

/** Weights of runs of up to `longest` tokens (1 or more), all 0: at first the head's score alone counts. */
export function initialNgramWeights({ vocabSize }: Pick<ModelConfig, 'vocabSize'>, longest: number): ParameterSet {
  return new Map([[NGRAM_WEIGHTS, parameter([vocabSize + (longest - 1) * BUCKETS])]]);
}

/** The longest run that has a weight among the parameters; 0 when there are no such weights. */
export function longestNgram({ vocabSize }: Pick<ModelConfig, 'vocabSize'>, parameters: FrozenSet): number {
  const weights = parameters.get(NGRAM_WEIGHTS);
  return weights ? 1 + (weights.data.length - vocabSize) / BUCKETS : 0;
}

/** The indices of an answer's runs of 1 to `longest` tokens among the weights, one for each time a run comes. */
export function ngramsOf(answer: readonly number[], longest: number, vocabSize: number): number[] {
  return Array.from({ length: longest }, (_, shorter) => shorter + 1).flatMap((length) =>
    Array.from({ length: Math.max(0, answer.length - length + 1) }, (_, start) =>
      length === 1
        ? answer[start]!
        : vocabSize + (length - 2) * BUCKETS + (hashOf(answer.slice(start, start + length)) % BUCKETS),
    ),
  );
}

/**
 * What the runs of tokens in each answer add to its score, shaped like `like` [answers]: the wide side of a wide and deep
 * model (Cheng et al. 2016, section 3.1), a linear score over counts beside the network's.
 */
export function ngramScores(model: ModelGraph, name: string, like: Tensor): Tensor {
  const { g } = model;
  const count = `${name}Ngrams`;
  const weights = gather(g, model.parameter(NGRAM_WEIGHTS), model.batch(count, 'int64', [count]));
  const counted = mul(g, weights, model.batch(`${count}Factors`, 'float32', [count]));
  return sumInto(g, like, model.batch(`${count}Owners`, 'int64', [count]), counted);
}

/** The inputs of {@link ngramScores}. @param answers the answers' own tokens, without their prompts */
export function ngramFeeds(
  name: string,
  answers: readonly (readonly number[])[],
  longest: number,
  vocabSize: number,
): TensorMap {
  const found = answers.map((answer) => ngramsOf(answer, longest, vocabSize));
  const indices = found.flat();
  const owners = found.flatMap((runs, owner) => runs.map(() => owner));
  // An empty batch sends one run that does not count.
  const none = indices.length === 0;
  return {
    [`${name}Ngrams`]: int64Vector(none ? [0] : indices),
    [`${name}NgramsFactors`]: float32Vector(none ? [0] : indices.map(() => SCALE)),
    [`${name}NgramsOwners`]: int64Vector(none ? [0] : owners),
  };
}

/** FNV-1a over whole tokens, 32 bits, with its high bits folded in: buckets are taken from the low ones. */
function hashOf(tokens: readonly number[]): number {
  const hash = tokens.reduce((soFar, token) => Math.imul(soFar ^ token, 0x01000193), 0x811c9dc5);
  return (hash ^ (hash >>> 15)) >>> 0;
}
