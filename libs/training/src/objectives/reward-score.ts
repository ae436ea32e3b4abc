import { add, gather, scale, type Tensor } from '@attune/graph';
import type { ModelConfig } from '@attune/models';
import { InternalError } from '@attune/platform';
import type { TensorMap } from '@attune/runtime';
import { int64Vector } from '../batches/feeds.js';
import { REWARD_HEAD, TOKEN_REWARD_HEAD } from '../step/heads.js';
import type { ModelGraph } from '../step/model-graph.js';
import type { FrozenSet } from '../step/parameters.js';
import { sumInto } from './answer-sums.js';
import { longestNgram, ngramFeeds, ngramScores } from './ngram-evidence.js';

/** Where a reward model's score of an answer comes from. */
export interface RewardForm {
  /** last: the answer's last token, which has seen all of it; sum: every token of the answer, added up. */
  readonly pooling: 'last' | 'sum';
  /** Tokens of the longest run that has a weight of its own beside the head; 0: none have. */
  readonly longestNgram: number;
  readonly vocabSize: number;
}

/** The answers to score: flat index of each one's last token, and its tokens without the prompt where they are known. */
export interface ScoredAnswers {
  readonly last: readonly number[];
  readonly tokens?: readonly (readonly number[])[];
}

/** What a sum over tokens is multiplied by: so that answers of some thirty tokens begin with scores like those of one. */
const SUM_SCALE = 0.2;

/** The form of a reward model, as its parameters show it. */
export function rewardFormOf(config: Pick<ModelConfig, 'vocabSize'>, parameters: FrozenSet): RewardForm {
  const pooling = parameters.has(`${TOKEN_REWARD_HEAD}.weight`) ? 'sum' : 'last';
  return { pooling, longestNgram: longestNgram(config, parameters), vocabSize: config.vocabSize };
}

/** Whether more than the answer's last token is read. */
export const needsTokens = ({ pooling, longestNgram }: RewardForm): boolean => pooling === 'sum' || longestNgram > 0;

/** Scores, shaped like `like` [answers], given the hidden states [B·T, hidden] of their batch. */
export function rewardScores(
  model: ModelGraph,
  hidden: Tensor,
  { name, like, form }: { readonly name: string; readonly like: Tensor; readonly form: RewardForm },
): Tensor {
  const { g } = model;
  const read =
    form.pooling === 'last'
      ? model.scalar(REWARD_HEAD, gather(g, hidden, model.batch(`${name}Rows`, 'int64', like.shape)))
      : summed(model, hidden, name, like);
  return form.longestNgram > 0 ? add(g, read, ngramScores(model, name, like)) : read;
}

/** The inputs of {@link rewardScores}; where there are no answers, one at the first token stands in. */
export function rewardFeeds(name: string, answers: ScoredAnswers, form: RewardForm): TensorMap {
  const runs = form.longestNgram > 0 ? ngramFeeds(name, known(answers), form.longestNgram, form.vocabSize) : {};
  if (form.pooling === 'last') return { ...runs, [`${name}Rows`]: int64Vector(orZero(answers.last)) };
  const lengths = known(answers).map(({ length }) => length);
  const rows = lengths.flatMap((length, i) => Array.from({ length }, (_, t) => answers.last[i]! - length + 1 + t));
  const owners = lengths.flatMap((length, i) => Array<number>(length).fill(i));
  return { ...runs, [`${name}Tokens`]: int64Vector(orZero(rows)), [`${name}Owners`]: int64Vector(orZero(owners)) };
}

/** One number a token of the answer, added up: evidence wherever it stands. */
function summed(model: ModelGraph, hidden: Tensor, name: string, like: Tensor): Tensor {
  const { g } = model;
  const tokens = model.rows(hidden, `${name}Tokens`, `${name}Tokens`);
  const owners = model.batch(`${name}Owners`, 'int64', [`${name}Tokens`]);
  return sumInto(g, like, owners, scale(g, model.scalar(TOKEN_REWARD_HEAD, tokens), SUM_SCALE));
}

function known({ tokens }: ScoredAnswers): readonly (readonly number[])[] {
  if (!tokens)
    throw new InternalError('this reward model reads the tokens of answers, and the batch does not hold them');
  return tokens;
}

const orZero = (values: readonly number[]): readonly number[] => (values.length > 0 ? values : [0]);
