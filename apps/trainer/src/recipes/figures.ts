import type { StepResult, TokenBatch, WeightedSequence } from '@attune/training';

export const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

export const mean = (values: readonly number[]): number => (values.length === 0 ? 0 : sum(values) / values.length);

/** What a step measured, under the names metrics are stored by. */
export function figuresOf({ loss, gradNorm, metrics }: StepResult): Record<string, number> {
  const named = Object.entries(metrics).map(([name, value]) => [snakeCase(name), value]);
  return { ...Object.fromEntries(named), loss, grad_norm: gradNorm };
}

/** The means over several steps. */
export function meanFigures(results: readonly StepResult[]): Record<string, number> {
  const figures = results.map(figuresOf);
  const names = Object.keys(figures[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, mean(figures.map((one) => one[name]!))]));
}

/** Tokens of a batch that are no padding. */
export const countTokensOf = ({ segments }: Pick<TokenBatch, 'segments'>): number =>
  segments.reduce((count, segment) => count + Number(segment > 0n), 0);

/** Tokens of a step: those of its batches, and of what is replayed beside them. */
export const countStepTokens = (
  batches: readonly Pick<TokenBatch, 'segments'>[],
  replayed: readonly WeightedSequence[],
): number => sum([...batches.map(countTokensOf), ...replayed.map(({ ids }) => ids.length)]);

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
