import type { ModelConfig } from '../config.js';
import { linearShapes } from '../parameters.js';
import type { LowRankAdapter } from './adapter.js';
import type { ParameterReader } from './weights.js';

/** Parameters with a low-rank update multiplied into them, W + (alpha / rank) · B·A: the same model but for rounding. */
export function mergedReader(config: ModelConfig, read: ParameterReader, adapter: LowRankAdapter): ParameterReader {
  const columns = new Map<string, number>();
  for (let layer = 0; layer < config.numLayers; layer++)
    for (const [module, [, inSize]] of linearShapes(config, layer)) columns.set(`${module}.weight`, inSize);
  return (name) => {
    const factors = adapter.tensors.get(name.replace(/\.weight$/, ''));
    if (!factors || !columns.has(name)) return read(name);
    const weight = read(name).slice();
    addProduct(weight, factors, columns.get(name)!, adapter.rank, adapter.alpha / adapter.rank);
    return weight;
  };
}

function addProduct(
  weight: Float32Array,
  { a, b }: { a: Float32Array; b: Float32Array },
  columns: number,
  rank: number,
  scale: number,
) {
  for (let row = 0, start = 0; start < weight.length; row++, start += columns)
    for (let r = 0; r < rank; r++) {
      const factor = scale * b[row * rank + r]!;
      for (let column = 0; column < columns; column++) weight[start + column]! += factor * a[r * columns + column]!;
    }
}
