import { architectures } from './architectures.js';

/** How rotary frequencies are stretched for contexts longer than the pretraining one. */
export type RopeScaling =
  | { readonly kind: 'none' }
  | { readonly kind: 'linear'; readonly factor: number }
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalMaxPositions: number;
    };

/** A decoder-only transformer of the Llama family, in the words of this project. */
export interface ModelConfig {
  readonly architecture: string;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numLayers: number;
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
  readonly maxPositions: number;
  readonly rmsNormEps: number;
  readonly ropeTheta: number;
  readonly ropeScaling: RopeScaling;
  readonly tieWordEmbeddings: boolean;
  /** Biases on q, k, v and (Llama's attention_bias) o. */
  readonly qkvBias: boolean;
  readonly outputBias: boolean;
  readonly bosTokenId: number | null;
  readonly eosTokenIds: readonly number[];
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a Hugging Face config.json (already parsed). Throws a RangeError that names the field when a required number
 * is missing, the architecture is not one of architectures.ts, or the rope scaling is of an unknown kind.
 */
export function parseModelConfig(json: unknown): ModelConfig {
  if (typeof json !== 'object' || json === null) throw new RangeError('config.json must hold a JSON object');
  const raw = json as Json;
  const architecture = architectureOf(raw);
  const hiddenSize = required(raw, 'hidden_size');
  const numHeads = required(raw, 'num_attention_heads');
  const attentionBias = raw['attention_bias'] === true;
  return {
    architecture,
    vocabSize: required(raw, 'vocab_size'),
    hiddenSize,
    intermediateSize: required(raw, 'intermediate_size'),
    numLayers: required(raw, 'num_hidden_layers'),
    numHeads,
    numKvHeads: optional(raw, 'num_key_value_heads', numHeads),
    headDim: optional(raw, 'head_dim', hiddenSize / numHeads),
    maxPositions: optional(raw, 'max_position_embeddings', 2048),
    rmsNormEps: optional(raw, 'rms_norm_eps', 1e-6),
    ropeTheta: optional(raw, 'rope_theta', optional(ropeFields(raw), 'rope_theta', 10_000)),
    ropeScaling: parseRopeScaling(ropeFields(raw)),
    tieWordEmbeddings: raw['tie_word_embeddings'] === true,
    qkvBias: attentionBias,
    outputBias: attentionBias,
    bosTokenId: typeof raw['bos_token_id'] === 'number' ? raw['bos_token_id'] : null,
    eosTokenIds: tokenIds(raw['eos_token_id']),
  };
}

function architectureOf(raw: Json): string {
  const supported = Object.keys(architectures);
  const named = Array.isArray(raw['architectures']) ? String(raw['architectures'][0]) : null;
  const architecture = named ?? (raw['model_type'] === 'llama' ? 'LlamaForCausalLM' : String(raw['model_type']));
  if (!supported.includes(architecture))
    throw new RangeError(
      `config.json names the architecture "${architecture}"; this version runs ${supported.join(', ')}`,
    );
  return architecture;
}

/** transformers 5 writes `rope_parameters`, earlier versions `rope_scaling`. */
function ropeFields(raw: Json): Json {
  const found = raw['rope_scaling'] ?? raw['rope_parameters'];
  return typeof found === 'object' && found !== null ? (found as Json) : {};
}

function parseRopeScaling(raw: Json): RopeScaling {
  const kind = raw['rope_type'] ?? raw['type'] ?? 'default';
  if (kind === 'default') return { kind: 'none' };
  if (kind === 'linear') return { kind: 'linear', factor: required(raw, 'factor') };
  if (kind !== 'llama3')
    throw new RangeError(`config.json asks for the rope scaling "${String(kind)}"; linear and llama3 are supported`);
  return {
    kind: 'llama3',
    factor: required(raw, 'factor'),
    lowFreqFactor: required(raw, 'low_freq_factor'),
    highFreqFactor: required(raw, 'high_freq_factor'),
    originalMaxPositions: required(raw, 'original_max_position_embeddings'),
  };
}

function tokenIds(value: unknown): readonly number[] {
  const all = Array.isArray(value) ? value : [value];
  return all.filter((id): id is number => typeof id === 'number');
}

function required(raw: Json, field: string): number {
  const value = raw[field];
  if (typeof value !== 'number') throw new RangeError(`config.json lacks the number "${field}"`);
  return value;
}

function optional(raw: Json, field: string, fallback: number): number {
  const value = raw[field];
  return typeof value === 'number' ? value : fallback;
}
