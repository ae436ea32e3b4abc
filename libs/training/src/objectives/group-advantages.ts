/** Scores of the answers to one prompt after another, `groupSize` each; so are the results. */
type Grouped = (scores: readonly number[], groupSize: number) => number[];

/**
 * GRPO's advantages (Shao et al. 2024, https://arxiv.org/abs/2402.03300, section 4.1.2): (score − mean) / deviation
 * within each group. A group whose scores are all equal says nothing and gets zeros.
 */
export const groupRelativeAdvantages: Grouped = (scores, groupSize) =>
  perGroup(scores, groupSize, (group) => {
    const mean = sumOf(group) / group.length;
    const deviation = Math.sqrt(sumOf(group.map((score) => (score - mean) ** 2)) / (group.length - 1));
    return group.map((score) => (score - mean) / (deviation + EPSILON));
  });

/**
 * REINFORCE leave-one-out (Ahmadian et al. 2024, https://arxiv.org/abs/2402.14740, eq. 8): each score less the mean of
 * the others' in its group, an unbiased baseline.
 */
export const leaveOneOutAdvantages: Grouped = (scores, groupSize) =>
  perGroup(scores, groupSize, (group) => {
    const total = sumOf(group);
    return group.map((score) => score - (total - score) / (group.length - 1));
  });

/** As TRL's: keeps a group of equal scores at zero without a branch. */
const EPSILON = 1e-4;

function perGroup(scores: readonly number[], groupSize: number, of: (group: readonly number[]) => number[]): number[] {
  if (groupSize < 2 || scores.length % groupSize !== 0)
    throw new RangeError(`${scores.length} scores do not make groups of ${groupSize} (2 or more)`);
  return Array.from({ length: scores.length / groupSize }, (_, i) =>
    of(scores.slice(i * groupSize, (i + 1) * groupSize)),
  ).flat();
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
