import { setImmediate as nextTurn } from 'node:timers/promises';
import { adapterSites, type LinearFormat, type ModelConfig, type ServingWeights, weldedWeights } from '@attune/models';
import type { LayerUpdate } from './adapters-prepared.js';

/** An adapter as weights of a graph. */
export interface WeldedAdapter {
  /** By site; those that it does not change are left out. */
  readonly widths: ReadonlyMap<string, number>;
  /** Some are views of the adapter's own memory; empty when the graphs hold their bytes. */
  weights: ServingWeights;
}

/** Rounds a LoRA adapter for graphs of these formats, layer by layer between steps, so that no answer waits for it. */
export async function weld(
  config: ModelConfig,
  { packed }: LayerUpdate,
  formats: readonly LinearFormat[],
): Promise<WeldedAdapter> {
  const widths = new Map<string, number>();
  const weights: ServingWeights = {};
  for (const site of adapterSites(config, 'lora')) {
    const width = packed[`${site.name}.up`]!.shape[0]!;
    if (width > 0) widths.set(site.name, width);
    for (const format of formats) Object.assign(weights, weldedWeights(format, site, packed));
    await nextTurn();
  }
  return { widths, weights };
}
