import type { ModelConfig } from '../config.js';
import { linearsOf, servingLayout, type ServingLinear } from './layout.js';
import type { ServingTensor } from './weights.js';

/** PEFT's low-rank update W + (alpha / rank) · B·A, by module ("model.layers.0.self_attn.q_proj"). */
export interface LowRankAdapter {
  readonly rank: number;
  readonly alpha: number;
  /** A [rank, in] and B [out, rank], row-major. */
  readonly tensors: ReadonlyMap<string, { readonly a: Float32Array; readonly b: Float32Array }>;
}

export type AdapterInputs = Record<string, ServingTensor<'float32'>>;

/**
 * The adapter as inputs of the serving graph. Modules that one linear layer fuses stay independent: their A's lie side
 * by side and their B's on the diagonal, so one pair of products serves them all. Null = the base model (rank 0).
 * @throws RangeError for a module the model does not have, or tensors whose size does not fit
 */
export function adapterInputs(config: ModelConfig, adapter: LowRankAdapter | null): AdapterInputs {
  const linears = linearsOf(servingLayout(config));
  if (adapter) assertKnownModules(linears, adapter);
  return Object.assign({}, ...linears.map((linear) => linearInputs(linear, adapter)));
}

function linearInputs(linear: ServingLinear, adapter: LowRankAdapter | null): AdapterInputs {
  const { name, inSize, outSize, inMap } = linear;
  const parts = linear.parts.filter(({ module }) => adapter?.tensors.has(module));
  const rank = adapter?.rank ?? 0;
  const width = parts.length * rank;
  const down = new Float32Array(inSize * width);
  const up = new Float32Array(width * outSize);
  parts.forEach(({ module, outMap }, index) => {
    const { a, b } = adapter!.tensors.get(module)!;
    assertSize(module, a.length, rank * inMap.length);
    assertSize(module, b.length, rank * outMap.length);
    for (let r = 0; r < rank; r++) {
      const column = index * rank + r;
      inMap.forEach((to, from) => (down[to * width + column] = a[r * inMap.length + from]!));
      outMap.forEach((to, from) => (up[column * outSize + to] = (b[from * rank + r]! * adapter!.alpha) / rank));
    }
  });
  return {
    [`${name}.down`]: { dtype: 'float32', shape: [inSize, width], data: down },
    [`${name}.up`]: { dtype: 'float32', shape: [width, outSize], data: up },
  };
}

function assertKnownModules(linears: readonly ServingLinear[], { tensors }: LowRankAdapter) {
  const known = new Set(linears.flatMap(({ parts }) => parts.map(({ module }) => module)));
  const unknown = [...tensors.keys()].find((module) => !known.has(module));
  if (unknown) throw new RangeError(`the adapter changes "${unknown}", which this model does not have`);
}

function assertSize(module: string, found: number, wanted: number) {
  if (found !== wanted)
    throw new RangeError(`the adapter's tensor for "${module}" has ${found} numbers; this model needs ${wanted}`);
}
