import type { WeightFormat } from '@attune/models';

/** What one format was found to cost on this machine. */
export interface FormatMeasure {
  readonly format: WeightFormat;
  /** Milliseconds for one token of one answer, and for each token of a prompt. */
  readonly decodeMs: number;
  readonly prefillMs: number;
  /** Mean Kullback-Leibler divergence of the next token's distribution from that of the first measure, in nats. */
  readonly divergence: number;
}

/**
 * Divergence an operator would not notice: about what rounding a well-trained model of some hundred million weights to
 * 8 bits costs several times over, and less than what sampling at temperature 0.9 instead of 1 does.
 */
export const MOST_DIVERGENCE = 0.02;
/** A format must be this much faster than the exact one to be worth any divergence. */
const LEAST_GAIN = 1.15;
/** The request that speed is judged by. */
const PROMPT_TOKENS = 256;
const ANSWER_TOKENS = 128;

/** The fastest format that is as good as the first, which is the reference; the reference itself if none gains enough. */
export function chooseFormat(measures: readonly [FormatMeasure, ...FormatMeasure[]]): WeightFormat {
  const [reference, ...others] = measures;
  const good = others.filter(
    (each) => each.divergence <= MOST_DIVERGENCE && requestMs(each) * LEAST_GAIN <= requestMs(reference),
  );
  return good.toSorted((a, b) => requestMs(a) - requestMs(b))[0]?.format ?? reference.format;
}

const requestMs = ({ decodeMs, prefillMs }: FormatMeasure) => PROMPT_TOKENS * prefillMs + ANSWER_TOKENS * decodeMs;
