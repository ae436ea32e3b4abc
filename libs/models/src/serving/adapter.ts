import type { ModelConfig } from '../config.js';
import { layerName } from '../parameters.js';
import { linearsOf, servingLayout, type ServingLinear } from './layout.js';
import type { ServingTensor } from './weights.js';

/** PEFT's low-rank update W + (alpha / rank) · B·A, by module ("model.layers.0.self_attn.q_proj"). */
export interface LowRankAdapter {
  readonly kind?: 'lora';
  readonly rank: number;
  readonly alpha: number;
  /** A [rank, in] and B [out, rank], row-major. */
  readonly tensors: ReadonlyMap<string, { readonly a: Float32Array; readonly b: Float32Array }>;
}

/** Houlsby's adapter layers y + up(SiLU(down(y))), by block ("model.layers.0.self_attn", "model.layers.0.mlp"). */
export interface BottleneckAdapter {
  readonly kind: 'bottleneck';
  readonly size: number;
  /** down [size, hidden] and up [hidden, size], row-major. */
  readonly tensors: ReadonlyMap<string, { readonly down: Float32Array; readonly up: Float32Array }>;
}

/** Adapters that change what a layer computes, in a form the serving graph takes as inputs. */
export type LayerAdapter = LowRankAdapter | BottleneckAdapter;
export type LayerAdapterKind = 'lora' | 'bottleneck';

/** A place in the serving graph where a kind of adapter adds `up(bend(down(x)))`: a linear layer or a block. */
export interface AdapterSite {
  readonly name: string;
  readonly inSize: number;
  readonly outSize: number;
}

export type AdapterInputs = Record<string, ServingTensor<'float32'>>;

/** Every place where adapters of a kind may add something, in graph order. */
export function adapterSites(config: ModelConfig, kind: LayerAdapterKind): readonly AdapterSite[] {
  return kind === 'lora' ? linearsOf(servingLayout(config)) : blocksOf(config);
}

/**
 * The adapter as inputs of the serving graph, `<site>.down` [in, width] and `<site>.up` [width, out]; the width is 0
 * where it changes nothing. Modules that one linear layer fuses stay independent: their A's lie side by side and their
 * B's on the diagonal, so one pair of products serves them all. Null = the base model with the inputs of LoRA.
 * @throws RangeError for a module the model does not have, or tensors whose size does not fit
 */
export function adapterInputs(config: ModelConfig, adapter: LayerAdapter | null): AdapterInputs {
  if (adapter?.kind === 'bottleneck') return bottleneckInputs(config, adapter);
  const linears = linearsOf(servingLayout(config));
  if (adapter) assertKnown(new Set(linears.flatMap(({ parts }) => parts.map(({ module }) => module))), adapter);
  return Object.assign({}, ...linears.map((linear) => linearInputs(linear, adapter)));
}

/** Blocks of adapter layers go by the names of the graph: "0.self_attn", "0.mlp". */
const blocksOf = (config: ModelConfig): AdapterSite[] =>
  Array.from({ length: config.numLayers }, (_, layer) => ['self_attn', 'mlp'].map((block) => `${layer}.${block}`))
    .flat()
    .map((name) => ({ name, inSize: config.hiddenSize, outSize: config.hiddenSize }));

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
    const first = index * rank;
    placeDown(a, inMap, rank, down, width, first);
    placeUp(b, outMap, adapter!, up, outSize, first);
  });
  return pair({ name, inSize, outSize }, width, down, up);
}

/** A [rank, in] into the columns of down [in, width] from `first` on. */
function placeDown(a: Float32Array, inMap: Int32Array, rank: number, down: Float32Array, width: number, first: number) {
  const numIn = inMap.length;
  for (let from = 0; from < numIn; from++) {
    const at = inMap[from]! * width + first;
    for (let r = 0; r < rank; r++) down[at + r] = a[r * numIn + from]!;
  }
}

/** B [out, rank], scaled, into the rows of up [width, out] from `first` on. */
function placeUp(
  b: Float32Array,
  outMap: Int32Array,
  { rank, alpha }: LowRankAdapter,
  up: Float32Array,
  outSize: number,
  first: number,
) {
  for (let from = 0; from < outMap.length; from++) {
    const at = first * outSize + outMap[from]!;
    for (let r = 0; r < rank; r++) up[at + r * outSize] = (b[from * rank + r]! * alpha) / rank;
  }
}

function bottleneckInputs(config: ModelConfig, adapter: BottleneckAdapter): AdapterInputs {
  const sites = blocksOf(config).map((site) => ({ site, module: moduleOf(site.name) }));
  assertKnown(new Set(sites.map(({ module }) => module)), adapter);
  return Object.assign({}, ...sites.map(({ site, module }) => blockInputs(site, module, adapter)));
}

function blockInputs(site: AdapterSite, module: string, { size, tensors }: BottleneckAdapter): AdapterInputs {
  const found = tensors.get(module);
  if (!found) return pair(site, 0, new Float32Array(0), new Float32Array(0));
  assertSize(module, found.down.length, size * site.inSize);
  assertSize(module, found.up.length, size * site.outSize);
  return pair(site, size, transposed(found.down, size), transposed(found.up, site.outSize));
}

const moduleOf = (site: string) => site.replace(/^(\d+)/, (layer) => layerName(Number(layer)));

/** [rows, columns] to [columns, rows]. */
function transposed(source: Float32Array, rows: number): Float32Array {
  const columns = source.length / rows;
  const turned = new Float32Array(source.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) turned[column * rows + row] = source[row * columns + column]!;
  return turned;
}

function pair(
  { name, inSize, outSize }: AdapterSite,
  width: number,
  down: Float32Array,
  up: Float32Array,
): AdapterInputs {
  return {
    [`${name}.down`]: { dtype: 'float32', shape: [inSize, width], data: down },
    [`${name}.up`]: { dtype: 'float32', shape: [width, outSize], data: up },
  };
}

function assertKnown(known: ReadonlySet<string>, { tensors }: LayerAdapter) {
  const unknown = [...tensors.keys()].find((module) => !known.has(module));
  if (unknown) throw new RangeError(`the adapter changes "${unknown}", which this model does not have`);
}

function assertSize(module: string, found: number, wanted: number) {
  if (found !== wanted)
    throw new RangeError(`the adapter's tensor for "${module}" has ${found} numbers; this model needs ${wanted}`);
}
