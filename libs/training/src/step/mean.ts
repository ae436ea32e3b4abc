import type { Objective } from './objective.js';
import type { Sums } from './program.js';

/** Means over the items of some batches. */
export interface Evaluation {
  readonly loss: number;
  /** How many items the means run over; a sum of weights where items are weighted. */
  readonly items: number;
  /** The objective's own numbers, per item. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** Turns the sums of some batches into means over all their items. */
export function meanOver<Batch>(
  objective: Objective<Batch>,
  batches: readonly Batch[],
  sums: readonly Sums[],
): Evaluation {
  const items = batches.reduce((all, batch) => all + objective.count(batch), 0);
  const names = Object.keys(sums[0]?.metrics ?? {});
  const meanOf = (of: (sum: Sums) => number) => sums.reduce((all, sum) => all + of(sum), 0) / items;
  return {
    items,
    loss: meanOf(({ loss }) => loss),
    metrics: Object.fromEntries(names.map((name) => [name, meanOf(({ metrics }) => metrics[name]!)])),
  };
}
