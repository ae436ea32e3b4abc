import type { Objective } from './objective.js';
import type { Sums } from './program.js';

/** Means over the items of some batches. */
export interface Evaluation {
  readonly loss: number;
  /** How many items the means run over; a sum of weights where items are weighted. */
  readonly items: number;
  /** The objective's own numbers, per item; without those that no item of these batches has. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** Turns the sums of some batches into means over all their items. */
export function meanOver<Batch>(
  objective: Objective<Batch>,
  batches: readonly Batch[],
  sums: readonly Sums[],
): Evaluation {
  const sumOf = (of: (batch: Batch) => number) => batches.reduce((all, batch) => all + of(batch), 0);
  const totalOf = (of: (sum: Sums) => number) => sums.reduce((all, sum) => all + of(sum), 0);
  const items = sumOf((batch) => objective.count(batch));
  const metrics = Object.keys(sums[0]?.metrics ?? {}).flatMap((name): [string, number][] => {
    const counted = sumOf((batch) => objective.metricCounts?.(batch)[name] ?? objective.count(batch));
    return counted === 0 ? [] : [[name, totalOf((sum) => sum.metrics[name]!) / counted]];
  });
  return { items, loss: totalOf(({ loss }) => loss) / items, metrics: Object.fromEntries(metrics) };
}
