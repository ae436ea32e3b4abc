import type { Tensor } from '@attune/graph';
import type { TensorMap } from '@attune/runtime';
import type { ModelGraph } from './model-graph.js';

/** What an objective contributes to the graph. Everything is a SUM over the batch's items, see {@link Objective}. */
export interface ObjectiveTensors {
  /** Rank 0; differentiated. */
  readonly lossSum: Tensor;
  /** Rank 0 each; reported, not differentiated. */
  readonly metricSums?: Readonly<Record<string, Tensor>>;
}

/**
 * A training objective over batches of one kind. Losses and metrics are sums, divided by the items of all
 * micro-batches only at the update: so eight accumulated micro-batches give the gradient of one batch of eight,
 * however unevenly the items are spread.
 */
export interface Objective<Batch> {
  readonly name: string;
  build(model: ModelGraph): ObjectiveTensors;
  /** The batch as graph inputs. */
  feeds(batch: Batch): TensorMap;
  /** How many items (tokens, pairs; fractional weights allowed) the sums of this batch run over. */
  count(batch: Batch): number;
  /** Items that single metrics run over, where they are not all of them; those left out run over all. */
  metricCounts?(batch: Batch): Readonly<Record<string, number>>;
}
