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

/** Gives memory for so many numbers; what is in it does not matter. */
export type Room = (count: number) => Float32Array;

/** What one site gets: how wide it is, and what writes its factors into memory that is all zeros. */
interface SitePlan {
  readonly site: AdapterSite;
  readonly width: number;
  fill(down: Float32Array, up: Float32Array): void;
}

/** Parts of one array begin at multiples of 64 bytes, as the kernels like them. */
const ALIGNMENT = 16;

/**
 * The adapter as inputs of the serving graph, `<site>.down` [in, width] and `<site>.up` [width, out]; the width is 0
 * where it changes nothing. Modules that one linear layer fuses stay independent: their A's lie side by side and their
 * B's on the diagonal, so one pair of products serves them all. Null = the base model with the inputs of LoRA.
 * @param room asked once: all inputs are parts of one array
 * @throws RangeError for a module the model does not have, or tensors whose size does not fit
 */
export function adapterInputs(
  config: ModelConfig,
  adapter: LayerAdapter | null,
  room: Room = (count) => new Float32Array(count),
): AdapterInputs {
  return layDown(adapter?.kind === 'bottleneck' ? planBlocks(config, adapter) : planLinears(config, adapter), room);
}

function layDown(plans: readonly SitePlan[], room: Room): AdapterInputs {
  const sizes = plans.map(({ site, width }) => [aligned(site.inSize * width), aligned(site.outSize * width)] as const);
  const memory = room(sizes.reduce((sum, [down, up]) => sum + down + up, 0)).fill(0);
  const inputs: AdapterInputs = {};
  let start = 0;
  for (const [index, { site, width, fill }] of plans.entries()) {
    const [downSize, upSize] = sizes[index]!;
    const down = memory.subarray(start, start + site.inSize * width);
    const up = memory.subarray(start + downSize, start + downSize + site.outSize * width);
    fill(down, up);
    inputs[`${site.name}.down`] = { dtype: 'float32', shape: [site.inSize, width], data: down };
    inputs[`${site.name}.up`] = { dtype: 'float32', shape: [width, site.outSize], data: up };
    start += downSize + upSize;
  }
  return inputs;
}

const aligned = (count: number) => Math.ceil(count / ALIGNMENT) * ALIGNMENT;

/** Blocks of adapter layers go by the names of the graph: "0.self_attn", "0.mlp". */
const blocksOf = (config: ModelConfig): AdapterSite[] =>
  Array.from({ length: config.numLayers }, (_, layer) => ['self_attn', 'mlp'].map((block) => `${layer}.${block}`))
    .flat()
    .map((name) => ({ name, inSize: config.hiddenSize, outSize: config.hiddenSize }));

function planLinears(config: ModelConfig, adapter: LowRankAdapter | null): SitePlan[] {
  const linears = linearsOf(servingLayout(config));
  if (adapter) assertKnown(new Set(linears.flatMap(({ parts }) => parts.map(({ module }) => module))), adapter);
  return linears.map((linear) => planLinear(linear, adapter));
}

function planLinear({ name, inSize, outSize, inMap, parts }: ServingLinear, adapter: LowRankAdapter | null): SitePlan {
  const changed = parts.filter(({ module }) => adapter?.tensors.has(module));
  const rank = adapter?.rank ?? 0;
  const width = changed.length * rank;
  const fill = (down: Float32Array, up: Float32Array) =>
    changed.forEach(({ module, outMap }, index) => {
      const { a, b } = adapter!.tensors.get(module)!;
      assertSize(module, a.length, rank * inMap.length);
      assertSize(module, b.length, rank * outMap.length);
      placeDown(a, inMap, rank, down, width, index * rank);
      placeUp(b, outMap, adapter!, up, outSize, index * rank);
    });
  return { site: { name, inSize, outSize }, width, fill };
}

/** A [rank, in] into the columns of down [in, width] from `first` on. */
function placeDown(a: Float32Array, inMap: Int32Array, rank: number, down: Float32Array, width: number, first: number) {
  const numIn = inMap.length;
  for (let from = 0; from < numIn; from++) {
    const at = inMap[from]! * width + first;
    for (let r = 0; r < rank; r++) down[at + r] = a[r * numIn + from]!;
  }
}

/** B [out, rank], scaled, into the rows of up [width, out] from `first` on: row by row, for it is writes that cost. */
function placeUp(
  b: Float32Array,
  outMap: Int32Array,
  { rank, alpha }: LowRankAdapter,
  up: Float32Array,
  outSize: number,
  first: number,
) {
  for (let r = 0; r < rank; r++) {
    const row = (first + r) * outSize;
    for (let from = 0; from < outMap.length; from++) up[row + outMap[from]!] = (b[from * rank + r]! * alpha) / rank;
  }
}

function planBlocks(config: ModelConfig, adapter: BottleneckAdapter): SitePlan[] {
  const sites = blocksOf(config).map((site) => ({ site, module: moduleOf(site.name) }));
  assertKnown(new Set(sites.map(({ module }) => module)), adapter);
  return sites.map(({ site, module }) => planBlock(site, module, adapter));
}

function planBlock(site: AdapterSite, module: string, { size, tensors }: BottleneckAdapter): SitePlan {
  const found = tensors.get(module);
  if (!found) return { site, width: 0, fill: () => {} };
  const fill = (down: Float32Array, up: Float32Array) => {
    assertSize(module, found.down.length, size * site.inSize);
    assertSize(module, found.up.length, size * site.outSize);
    transpose(found.down, size, down);
    transpose(found.up, site.outSize, up);
  };
  return { site, width: size, fill };
}

const moduleOf = (site: string) => site.replace(/^(\d+)/, (layer) => layerName(Number(layer)));

/** [rows, columns] to [columns, rows]. */
function transpose(source: Float32Array, rows: number, turned: Float32Array): void {
  const columns = source.length / rows;
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) turned[column * rows + row] = source[row * columns + column]!;
}

function assertKnown(known: ReadonlySet<string>, { tensors }: LayerAdapter) {
  const unknown = [...tensors.keys()].find((module) => !known.has(module));
  if (unknown) throw new RangeError(`the adapter changes "${unknown}", which this model does not have`);
}

function assertSize(module: string, found: number, wanted: number) {
  if (found !== wanted)
    throw new RangeError(`the adapter's tensor for "${module}" has ${found} numbers; this model needs ${wanted}`);
}
