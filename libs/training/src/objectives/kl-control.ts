export interface KlTarget {
  /** Nats an answer that the policy should stay away from the reference. */
  readonly target: number;
  /** K_β, how fast β follows (Ziegler et al. 2019: 0.1 a round). */
  readonly gain?: number;
}

/**
 * The next round's KL coefficient β, steered towards a target distance by a proportional controller in log space
 * (Ziegler et al. 2019, https://arxiv.org/abs/1909.08593, section 2.2): β ← β (1 + K_β e), e = clip(KL/target − 1, ±0.2).
 */
export function nextKlCoef(klCoef: number, measuredKl: number, { target, gain = 0.1 }: KlTarget): number {
  const error = Math.min(0.2, Math.max(-0.2, measuredKl / target - 1));
  return klCoef * (1 + gain * error);
}
