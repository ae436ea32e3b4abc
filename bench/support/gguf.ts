import { closeSync, openSync, writeSync } from 'node:fs';
import { type ModelConfig, parameterShapes } from '@attune/models';
import { createRandom } from '@attune/platform';

/**
 * Writes a model of random Q4_0 weights for llama.cpp (GGUF version 3, github.com/ggml-org/ggml/blob/master/docs/gguf.md).
 * Every matrix is 4-bit, the embedding too: the fastest that Q4_0 can be.
 */
export function writeGguf(file: string, config: ModelConfig): void {
  const tensors = tensorsOf(config);
  const header = new Writer();
  header.bytes(Buffer.from('GGUF')).u32(3).u64(tensors.length);
  const metadata = metadataOf(config);
  header.u64(metadata.length);
  for (const write of metadata) write(header);
  let offset = 0;
  for (const { name, shape, bytes } of tensors) {
    header.text(name).u32(shape.length);
    for (const dim of shape.toReversed()) header.u64(dim);
    header.u32(shape.length > 1 ? Q4_0 : F32).u64(offset);
    offset += aligned(bytes);
  }
  const fd = openSync(file, 'w');
  try {
    writeSync(fd, padded(header.done()));
    tensors.forEach(({ shape, bytes }, index) => writeTensor(fd, shape.length > 1, bytes, index));
  } finally {
    closeSync(fd);
  }
}

const F32 = 0;
const Q4_0 = 2;
const ALIGNMENT = 32;
/** 32 weights: a float16 scale and 16 bytes of nibbles. */
const BLOCK = 32;
const BLOCK_BYTES = 18;
/** 0.02 in float16. */
const SCALE = [0x1f, 0x25];
const TOKEN_NORMAL = 1;
const TOKEN_CONTROL = 3;
const TOKEN_BYTE = 6;
const UINT32 = 4;
const FLOAT32 = 6;
const STRING = 8;
const ARRAY = 9;
const INT32 = 5;

interface TensorPlan {
  readonly name: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

const aligned = (size: number) => Math.ceil(size / ALIGNMENT) * ALIGNMENT;
const padded = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(aligned(bytes.length) - bytes.length)]);

function tensorsOf(config: ModelConfig): TensorPlan[] {
  return [...parameterShapes(config)].map(([name, shape]) => {
    const size = shape.reduce((all, dim) => all * dim, 1);
    return { name: ggufName(name), shape, bytes: shape.length > 1 ? (size / BLOCK) * BLOCK_BYTES : size * 4 };
  });
}

const names: Readonly<Record<string, string>> = {
  'model.embed_tokens.weight': 'token_embd.weight',
  'model.norm.weight': 'output_norm.weight',
  'lm_head.weight': 'output.weight',
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
  input_layernorm: 'attn_norm',
  post_attention_layernorm: 'ffn_norm',
};

function ggufName(name: string): string {
  if (names[name]) return names[name];
  const [, layer, module, kind] = /^model\.layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(name)!;
  return `blk.${layer}.${names[module!]}.${kind}`;
}

function metadataOf(config: ModelConfig): ((to: Writer) => Writer)[] {
  const u32 = (key: string, value: number) => (to: Writer) => to.text(key).u32(UINT32).u32(value);
  const f32 = (key: string, value: number) => (to: Writer) => to.text(key).u32(FLOAT32).f32(value);
  const text = (key: string, value: string) => (to: Writer) => to.text(key).u32(STRING).text(value);
  return [
    text('general.architecture', 'llama'),
    u32('general.file_type', 2),
    u32('llama.block_count', config.numLayers),
    u32('llama.context_length', config.maxPositions),
    u32('llama.embedding_length', config.hiddenSize),
    u32('llama.feed_forward_length', config.intermediateSize),
    u32('llama.attention.head_count', config.numHeads),
    u32('llama.attention.head_count_kv', config.numKvHeads),
    f32('llama.attention.layer_norm_rms_epsilon', config.rmsNormEps),
    u32('llama.rope.dimension_count', config.headDim),
    f32('llama.rope.freq_base', config.ropeTheta),
    u32('llama.vocab_size', config.vocabSize),
    ...vocabularyOf(config.vocabSize),
  ];
}

/** Three controls, the bytes (llama.cpp wants a token for a line feed), and words without a meaning. */
function vocabularyOf(size: number): ((to: Writer) => Writer)[] {
  const words = Array.from({ length: size }, (_, id) => wordOf(id));
  const array = (key: string, type: number, write: (to: Writer, id: number) => Writer) => (to: Writer) => {
    to.text(key).u32(ARRAY).u32(type).u64(size);
    for (let id = 0; id < size; id++) write(to, id);
    return to;
  };
  const id = (key: string, value: number) => (to: Writer) => to.text(key).u32(UINT32).u32(value);
  return [
    (to) => to.text('tokenizer.ggml.model').u32(STRING).text('llama'),
    array('tokenizer.ggml.tokens', STRING, (to, token) => to.text(words[token]!)),
    array('tokenizer.ggml.scores', FLOAT32, (to, token) => to.f32(-token)),
    array('tokenizer.ggml.token_type', INT32, (to, token) => to.u32(kindOf(token))),
    id('tokenizer.ggml.bos_token_id', 1),
    id('tokenizer.ggml.eos_token_id', 2),
    id('tokenizer.ggml.unknown_token_id', 0),
  ];
}

function wordOf(id: number): string {
  if (id < 3) return ['<unk>', '<s>', '</s>'][id]!;
  return id < 259 ? `<0x${(id - 3).toString(16).toUpperCase().padStart(2, '0')}>` : `word${id}`;
}

function kindOf(id: number): number {
  if (id < 3) return TOKEN_CONTROL;
  return id < 259 ? TOKEN_BYTE : TOKEN_NORMAL;
}

function writeTensor(fd: number, isMatrix: boolean, bytes: number, seed: number): void {
  const data = Buffer.alloc(aligned(bytes));
  if (isMatrix) fillBlocks(data, bytes, seed);
  else new Float32Array(data.buffer, data.byteOffset, bytes / 4).fill(1);
  writeSync(fd, data);
}

function fillBlocks(data: Buffer, bytes: number, seed: number): void {
  const random = createRandom(seed + 1);
  const table = Uint8Array.from({ length: 65_521 }, () => random.int(256));
  for (let i = 0; i < bytes; i++) data[i] = table[(i * 7 + seed) % table.length]!;
  for (let at = 0; at < bytes; at += BLOCK_BYTES) data.set(SCALE, at);
}

class Writer {
  private readonly parts: Buffer[] = [];

  bytes(part: Buffer): this {
    this.parts.push(part);
    return this;
  }

  u32(value: number): this {
    const part = Buffer.alloc(4);
    part.writeUInt32LE(value);
    return this.bytes(part);
  }

  u64(value: number): this {
    const part = Buffer.alloc(8);
    part.writeBigUInt64LE(BigInt(value));
    return this.bytes(part);
  }

  f32(value: number): this {
    const part = Buffer.alloc(4);
    part.writeFloatLE(value);
    return this.bytes(part);
  }

  text(value: string): this {
    return this.u64(Buffer.byteLength(value)).bytes(Buffer.from(value));
  }

  done(): Buffer {
    return Buffer.concat(this.parts);
  }
}
