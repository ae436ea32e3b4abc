import { linearShapes, type ModelConfig, parameterShapes, parseModelConfig } from '@attune/models';
import { createRandom } from '@attune/platform';
import type { BottleneckWeights, LowRankWeights, SoftPromptWeights } from '@attune/checkpoint';
import type { LoadedModel } from '@attune/engine';

export type LowRankAdapter = LowRankWeights & { readonly digest: string };

export const tinyConfig = {
  architectures: ['LlamaForCausalLM'],
  hidden_size: 48,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 12,
  vocab_size: 64,
  max_position_embeddings: 256,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  tie_word_embeddings: false,
};

/** Random weights, large enough that every token changes what follows. */
export function randomModel(seed: number, config: object = tinyConfig): LoadedModel {
  const parsed = parseModelConfig(config);
  const random = createRandom(seed);
  const tensors = new Map<string, Float32Array>();
  for (const [name, shape] of parameterShapes(parsed)) {
    const size = shape.reduce((all, dim) => all * dim, 1);
    const isNorm = shape.length === 1;
    const spread = name.includes('lm_head') ? 1 : 0.3;
    tensors.set(
      name,
      Float32Array.from({ length: size }, () => (isNorm ? 1 : spread * random.normal())),
    );
  }
  return asModel(config, `random-${seed}`, tensors);
}

/** The next token is always the last one plus `step`, modulo the vocabulary: layers pass through, the head shifts. */
export function countingModel(step: number): LoadedModel {
  const config = { ...tinyConfig, hidden_size: 64, head_dim: 16 };
  const tensors = new Map<string, Float32Array>();
  for (const [name, shape] of parameterShapes(parseModelConfig(config))) {
    const size = shape.reduce((all, dim) => all * dim, 1);
    tensors.set(name, new Float32Array(size).fill(shape.length === 1 ? 1 : 0));
  }
  const { vocab_size: vocab, hidden_size: hidden } = config;
  for (let token = 0; token < vocab; token++) {
    tensors.get('model.embed_tokens.weight')![token * hidden + token] = 1;
    tensors.get('lm_head.weight')![((token + step) % vocab) * hidden + token] = 1;
  }
  return asModel(config, `counting-${step}`, tensors);
}

/** A random low-rank update of every linear layer, strong enough to change most tokens. */
export function randomAdapter(seed: number, config: object = tinyConfig, strength = 0.5): LowRankAdapter {
  const parsed: ModelConfig = parseModelConfig(config);
  const random = createRandom(seed);
  const rank = 2 + (seed % 3);
  const noise = (size: number) => Float32Array.from({ length: size }, () => strength * random.normal());
  const tensors = new Map<string, { a: Float32Array; b: Float32Array }>();
  for (let layer = 0; layer < parsed.numLayers; layer++)
    for (const [module, [outSize, inSize]] of linearShapes(parsed, layer))
      tensors.set(module, { a: noise(rank * inSize), b: noise(outSize * rank) });
  return { digest: `adapter-${seed}`, rank, alpha: rank, tensors };
}

/** The model with an adapter multiplied into its weights: W + (alpha / rank) · B·A. */
export function mergedModel(model: LoadedModel, adapter: LowRankAdapter): LoadedModel {
  const shapes = parameterShapes(parseModelConfig(model.config));
  return {
    ...model,
    digest: `${model.digest}+${adapter.digest}`,
    tensor: (name) => {
      const weight = model.tensor(name).data.slice();
      const factors = adapter.tensors.get(name.replace(/\.weight$/, ''));
      if (factors) addProduct(weight, factors, shapes.get(name)![1]!, adapter);
      return { data: weight };
    },
  };
}

function addProduct(
  weight: Float32Array,
  factors: { a: Float32Array; b: Float32Array },
  columns: number,
  to: LowRankAdapter,
) {
  for (let at = 0; at < weight.length; at++) {
    const [row, column] = [Math.floor(at / columns), at % columns];
    for (let r = 0; r < to.rank; r++)
      weight[at]! += (to.alpha / to.rank) * factors.b[row * to.rank + r]! * factors.a[r * columns + column]!;
  }
}

function asModel(config: object, digest: string, tensors: ReadonlyMap<string, Float32Array>): LoadedModel {
  return { config, digest, tensor: (name) => ({ data: tensors.get(name)! }) };
}

/** Random adapter layers behind every block. */
export function randomBottleneck(seed: number, strength = 0.5): BottleneckWeights & { readonly digest: string } {
  const random = createRandom(seed);
  const { numLayers, hiddenSize } = parseModelConfig(tinyConfig);
  const size = 3 + (seed % 3);
  const noise = () => Float32Array.from({ length: size * hiddenSize }, () => strength * random.normal());
  const blocks = Array.from({ length: numLayers }, (_, layer) => ['self_attn', 'mlp'].map((block) => [layer, block]));
  const tensors = blocks
    .flat()
    .map(([layer, block]) => [`model.layers.${layer}.${block}`, { down: noise(), up: noise() }] as const);
  return { kind: 'bottleneck', digest: `bottleneck-${seed}`, size, tensors: new Map(tensors) };
}

/** A soft prompt of random embeddings. */
export function randomSoftPrompt(seed: number, numTokens = 5): SoftPromptWeights & { readonly digest: string } {
  const random = createRandom(seed);
  const { hiddenSize } = parseModelConfig(tinyConfig);
  const embeddings = Float32Array.from({ length: numTokens * hiddenSize }, () => random.normal());
  return { kind: 'soft-prompt', digest: `soft-prompt-${seed}`, numTokens, embeddings };
}
