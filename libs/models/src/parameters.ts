import type { ModelConfig } from './config.js';

/** Parameter names as Hugging Face checkpoints spell them, with their shapes ([out, in] for linear layers). */
export function parameterShapes(config: ModelConfig): ReadonlyMap<string, readonly number[]> {
  const { hiddenSize: hidden, vocabSize } = config;
  const shapes = new Map<string, readonly number[]>([[EMBEDDING, [vocabSize, hidden]]]);
  for (let layer = 0; layer < config.numLayers; layer++) {
    for (const [name, shape] of linearShapes(config, layer)) shapes.set(`${name}.weight`, shape);
    for (const name of biasedModules(config, layer)) shapes.set(`${name}.bias`, [shapes.get(`${name}.weight`)![0]!]);
    shapes.set(`${layerName(layer)}.input_layernorm.weight`, [hidden]);
    shapes.set(`${layerName(layer)}.post_attention_layernorm.weight`, [hidden]);
  }
  shapes.set(FINAL_NORM, [hidden]);
  if (!config.tieWordEmbeddings) shapes.set(LM_HEAD, [vocabSize, hidden]);
  return shapes;
}

export const EMBEDDING = 'model.embed_tokens.weight';
export const FINAL_NORM = 'model.norm.weight';
export const LM_HEAD = 'lm_head.weight';

/** The linear modules an adapter may attach to, by their last name. */
export const ADAPTABLE = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] as const;
export type AdapterTarget = (typeof ADAPTABLE)[number];

export const layerName = (layer: number): string => `model.layers.${layer}`;

/** The linear modules of one layer with the shapes [out, in] of their weights. */
export function linearShapes(config: ModelConfig, layer: number): ReadonlyMap<string, readonly [number, number]> {
  const { hiddenSize: hidden, intermediateSize: inner, headDim } = config;
  const [queries, keys] = [config.numHeads * headDim, config.numKvHeads * headDim];
  const [attention, mlp] = [`${layerName(layer)}.self_attn`, `${layerName(layer)}.mlp`];
  return new Map([
    [`${attention}.q_proj`, [queries, hidden]],
    [`${attention}.k_proj`, [keys, hidden]],
    [`${attention}.v_proj`, [keys, hidden]],
    [`${attention}.o_proj`, [hidden, queries]],
    [`${mlp}.gate_proj`, [inner, hidden]],
    [`${mlp}.up_proj`, [inner, hidden]],
    [`${mlp}.down_proj`, [hidden, inner]],
  ]);
}

/** The blocks of one layer whose output an adapter layer may follow. */
export const adaptableBlocks = (layer: number): string[] =>
  ['self_attn', 'mlp'].map((block) => `${layerName(layer)}.${block}`);

/** Modules of one layer that have a bias under this configuration. */
export function biasedModules(config: ModelConfig, layer: number): string[] {
  const attention = `${layerName(layer)}.self_attn`;
  const qkv = config.qkvBias ? ['q_proj', 'k_proj', 'v_proj'] : [];
  return [...qkv, ...(config.outputBias ? ['o_proj'] : [])].map((name) => `${attention}.${name}`);
}

/** Total number of parameters. */
export function parameterCount(config: ModelConfig): number {
  return [...parameterShapes(config).values()].reduce((all, shape) => all + shape.reduce((a, b) => a * b, 1), 0);
}
