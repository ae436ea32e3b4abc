import { InvalidRequestError } from '@attune/platform';
import { packWhole, type TokenBatch } from './token-batch.js';

/** Answers to one prompt, whole sequences (prompt and answer) from best to worst. */
export interface Ranking {
  readonly answers: readonly (readonly number[])[];
  /** Margin of each neighbouring pair; pairs further apart add up. Left out: 0. */
  readonly margins?: readonly number[];
  /** Tokens all of them begin with, before what was answered; 0 when left out. */
  readonly promptLength?: number;
}

/** One answer with a thumb, whole sequence. */
export interface Thumb {
  readonly ids: readonly number[];
  readonly liked: boolean;
  /** How much it counts; 1 when left out. */
  readonly weight?: number;
  /** Tokens before what was answered; 0 when left out. */
  readonly promptLength?: number;
}

/** What the reward model is trained on; a PairBatch is one without thumbs. */
export interface RewardBatch {
  readonly tokens: TokenBatch;
  /** Flat index of the last token of the better and the worse answer of each pair; one row may be in many pairs. */
  readonly chosenRows: readonly number[];
  readonly rejectedRows: readonly number[];
  readonly margins: readonly number[];
  readonly weights: readonly number[];
  /** Tokens of both answers of each pair, without the prompt: for a model that weighs runs of tokens. */
  readonly chosenAnswers?: readonly (readonly number[])[];
  readonly rejectedAnswers?: readonly (readonly number[])[];
  readonly thumbs?: {
    readonly rows: readonly number[];
    readonly answers?: readonly (readonly number[])[];
    readonly liked: readonly boolean[];
    readonly weights: readonly number[];
  };
}

/**
 * Rankings and thumbs as one batch. All pairs of a ranking share its answers' rows, so K answers cost K forward passes
 * and not K(K − 1); each pair weighs 1/(K choose 2), so that a ranking counts as one item however long it is (Ouyang et
 * al. 2022, section 3.5: shuffled apart, the pairs of one prompt make the model overfit in one epoch).
 */
export function rewardBatch(rankings: readonly Ranking[], thumbs: readonly Thumb[] = []): RewardBatch {
  const ranked = rankings.flatMap(({ answers, promptLength = 0 }) => answers.map((ids) => ({ ids, promptLength })));
  const all = [...ranked, ...thumbs.map(({ ids, promptLength = 0 }) => ({ ids, promptLength }))];
  const { batch: tokens, last } = packWhole(all.map(({ ids }) => ({ ids, weights: ids.map(() => 0) })));
  const answerOf = (sequence: number) => all[sequence]!.ids.slice(all[sequence]!.promptLength);
  const pairs = pairsOfAll(rankings);
  const judged = thumbs.map((_, i) => ranked.length + i);
  return {
    tokens,
    chosenRows: pairs.map(({ better }) => last[better]!),
    rejectedRows: pairs.map(({ worse }) => last[worse]!),
    margins: pairs.map(({ margin }) => margin),
    weights: pairs.map(({ weight }) => weight),
    chosenAnswers: pairs.map(({ better }) => answerOf(better)),
    rejectedAnswers: pairs.map(({ worse }) => answerOf(worse)),
    thumbs: {
      rows: judged.map((sequence) => last[sequence]!),
      answers: judged.map(answerOf),
      liked: thumbs.map(({ liked }) => liked),
      weights: thumbs.map(({ weight = 1 }) => weight),
    },
  };
}

/** The pairs of all rankings, by the places of their answers among the answers of all. */
function pairsOfAll(rankings: readonly Ranking[]) {
  let first = 0;
  return rankings.flatMap((ranking) => {
    const start = first;
    first += ranking.answers.length;
    return pairsOf(ranking).map((pair) => ({ ...pair, better: pair.better + start, worse: pair.worse + start }));
  });
}

function pairsOf({ answers, margins }: Ranking) {
  if (answers.length < 2) throw new InvalidRequestError(`a ranking needs two answers or more, not ${answers.length}`);
  if (margins && margins.length !== answers.length - 1)
    throw new InvalidRequestError(
      `a ranking of ${answers.length} answers has ${answers.length - 1} margins between them, not ${margins.length}`,
    );
  const weight = 2 / (answers.length * (answers.length - 1));
  const between = (better: number, worse: number) =>
    (margins ?? []).slice(better, worse).reduce((sum, m) => sum + m, 0);
  return answers.flatMap((_, better) =>
    answers.slice(better + 1).map((_, i) => {
      const worse = better + 1 + i;
      return { better, worse, weight, margin: between(better, worse) };
    }),
  );
}
