import type { Clock } from '@attune/platform';

/** How long a step waits for the masks of structured answers, all together: usually they take a hundredth of it. */
const PATIENCE_MS = 2;
/** How long, where there is nothing else to do. */
const IDLE_PATIENCE_MS = 20;

/** An answer, which may have to follow a structure. */
export interface Masked {
  /** `isReady` blocks for at most `patienceMs`. */
  readonly matcher?: { isReady(patienceMs: number): boolean } | undefined;
}

/**
 * Which answers can move on: structured ones sit out while their mask is not there, so that the others need not wait for
 * a slow grammar. A mask is waited for once; after that it is only looked for, or it would hold up every step.
 */
export class Masks<T extends Masked> {
  private readonly late = new WeakSet<T>();

  /** @param fail told of an answer whose mask will never come */
  constructor(
    private readonly clock: Clock,
    private readonly fail: (answer: T, error: unknown) => void,
  ) {}

  /** Those that can move on; where that would be nobody, the first is waited for. */
  able(answers: readonly T[]): T[] {
    const until = this.clock.monotonicMs() + PATIENCE_MS;
    const able = answers.filter((answer) => this.has(answer, Math.max(0, until - this.clock.monotonicMs())));
    const [first] = answers;
    if (able.length > 0 || !first) return able;
    return this.check(first, IDLE_PATIENCE_MS) ? [first] : [];
  }

  /** Whether its mask is there, or comes in time. */
  has(answer: T, patienceMs = PATIENCE_MS): boolean {
    return this.check(answer, this.late.has(answer) ? 0 : patienceMs);
  }

  private check(answer: T, patienceMs: number): boolean {
    const isReady = this.askMatcher(answer, patienceMs);
    if (isReady) this.late.delete(answer);
    else this.late.add(answer);
    return isReady;
  }

  private askMatcher(answer: T, patienceMs: number): boolean {
    try {
      return answer.matcher?.isReady(patienceMs) ?? true;
    } catch (error) {
      this.fail(answer, error);
      return false;
    }
  }
}
