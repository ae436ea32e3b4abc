import { InternalError } from '@attune/platform';

/** Training went wrong by its own numbers; what was saved before is good. */
export class DivergedError extends InternalError {}

/** What a step must report for the guard to judge it. */
export interface StepHealth {
  readonly loss: number;
  readonly gradNorm: number;
}

/** Steps whose median loss is what later ones are held against. */
const BASELINE_STEPS = 5;
/** So many steps in a row must be bad: one bad batch is no divergence. */
const BAD_STEPS = 8;
/** A loss this many times the baseline, and this much above it, is bad. */
const RATIO = 3;
const MARGIN = 2;

/**
 * Watches a stage for a run that has gone wrong: a loss or gradient that is no number stops it at once, a loss far
 * above where it began stops it when it stays there.
 */
export class DivergenceGuard {
  private readonly baseline: number[] = [];
  private badSteps = 0;

  /** Whether the last steps were as they should be: only then is the state worth saving. */
  get healthy(): boolean {
    return this.badSteps === 0;
  }

  /** A sentence when training should stop, null when it may go on. */
  judge({ loss, gradNorm }: StepHealth): string | null {
    if (!Number.isFinite(loss)) return `the loss became ${loss}`;
    if (!Number.isFinite(gradNorm)) return `the gradient norm became ${gradNorm}`;
    if (this.baseline.length < BASELINE_STEPS) {
      this.baseline.push(loss);
      return null;
    }
    const start = median(this.baseline);
    this.badSteps = loss > Math.max(start * RATIO, start + MARGIN) ? this.badSteps + 1 : 0;
    if (this.badSteps < BAD_STEPS) return null;
    return `the loss stayed above ${loss.toPrecision(3)} for ${BAD_STEPS} steps; it began at ${start.toPrecision(3)}`;
  }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;
