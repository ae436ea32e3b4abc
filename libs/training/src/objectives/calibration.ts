/** One bin of a reliability diagram. */
export interface CalibrationBin {
  /** Mean probability the model gave the answer it prefers. */
  readonly confidence: number;
  /** Share of its pairs in which people preferred that answer too. */
  readonly accuracy: number;
  readonly pairs: number;
}

export interface Calibration {
  /** Expected calibration error: Σ (pairs/all) |accuracy − confidence|, from 0 (what it says is what happens) to 1. */
  readonly error: number;
  readonly bins: readonly CalibrationBin[];
}

/**
 * How far a reward model's probabilities can be believed (Guo et al. 2017, https://arxiv.org/abs/1706.04599, eq. 3). A
 * gap r_chosen − r_rejected is a probability σ(gap) in the Bradley-Terry model; pairs are binned by the probability of
 * the answer it prefers, from 0.5 to 1.
 */
export function calibrationOf(gaps: readonly number[], numBins = 10): Calibration {
  const members = Array.from({ length: numBins }, (): { confidence: number; right: number }[] => []);
  for (const gap of gaps) {
    const confidence = 1 / (1 + Math.exp(-Math.abs(gap)));
    const bin = Math.min(numBins - 1, Math.floor((confidence - 0.5) * 2 * numBins));
    members[bin]!.push({ confidence, right: gap > 0 ? 1 : gap === 0 ? 0.5 : 0 });
  }
  const bins = members
    .filter(({ length }) => length > 0)
    .map((pairs) => ({
      confidence: mean(pairs.map(({ confidence }) => confidence)),
      accuracy: mean(pairs.map(({ right }) => right)),
      pairs: pairs.length,
    }));
  const error = bins.reduce((sum, bin) => sum + (bin.pairs / gaps.length) * Math.abs(bin.accuracy - bin.confidence), 0);
  return { error, bins };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
