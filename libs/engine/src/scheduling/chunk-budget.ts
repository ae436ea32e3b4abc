export interface ChunkLimits {
  /** Most tokens of a step. */
  readonly tokenBudget: number;
  /** What reading prompts may add to the time between two tokens of a running answer. */
  readonly gapMs: number;
}

/** A step reads at least this much, or prompts would starve; kernels waste little beyond it. */
export const LEAST_PREFILL = 16;
/** How much one measurement moves the estimate. */
const WEIGHT = 0.2;

/**
 * How many prompt tokens a step may read: all the budget when nobody is held up by it, and beside running answers as
 * many as the machine was measured to read within the gap.
 */
export class ChunkBudget {
  private msPerToken = 0;

  constructor(private readonly limits: ChunkLimits) {}

  /** A run read `tokens` of a prompt in `ms`. */
  observe(tokens: number, ms: number): void {
    // Few tokens cost nearly as much as LEAST_PREFILL: they would make the machine look slow.
    const measured = ms / Math.max(tokens, LEAST_PREFILL);
    this.msPerToken += (this.msPerToken === 0 ? 1 : WEIGHT) * (measured - this.msPerToken);
  }

  /** @param numDecoding answers that get a token in the same step */
  tokens(numDecoding: number): number {
    const { tokenBudget, gapMs } = this.limits;
    const room = tokenBudget - numDecoding;
    if (numDecoding === 0 || this.msPerToken === 0) return room;
    const affordable = Math.floor(gapMs / this.msPerToken / LEAST_PREFILL) * LEAST_PREFILL;
    return Math.min(room, Math.max(affordable, LEAST_PREFILL));
  }
}
