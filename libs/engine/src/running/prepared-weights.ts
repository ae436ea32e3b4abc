import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { openSafetensors, replaceFile, sweepLeftovers, writeSafetensors } from '@attune/checkpoint';
import { type LinearFormat, parameterShapes, parseModelConfig, servingWeights } from '@attune/models';
import { hostTensor, type HostTensor, mapFile } from '@attune/runtime';

type Tensors = Record<string, HostTensor>;

/** Where rounded weights are kept, and what they are of. */
export interface PreparedPlace {
  readonly folder: string;
  /** Digest of the base weights. */
  readonly base: string;
}

/** Weights of earlier models make room. */
const MOST_FILES = 4;
const dtypes = { F32: 'float32', U8: 'uint8', I8: 'int8' } as const;
const widths = { F32: 4, U8: 1, I8: 1 } as const;

/**
 * Rounded weights, from the file of an earlier start or, the first time, by `make`. Rounding takes seconds for every
 * hundred million weights, mapping a file takes none: a replaced process is back at once, and two processes of one model
 * share the pages. Where nothing can be written or mapped, `make`'s own arrays are used.
 * @param settings everything besides base and code that the values depend on
 */
export async function preparedWeights(
  { folder, base }: PreparedPlace,
  settings: object,
  formats: readonly LinearFormat[],
  make: () => Tensors,
): Promise<Tensors> {
  const key = [base, JSON.stringify(settings), formats.join(), codeDigest(formats)].join('\n');
  const file = path.join(folder, `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.safetensors`);
  await sweepLeftovers(folder); // of a process that was killed while it wrote: the size of a model each
  const found = existsSync(file) ? open(file) : null;
  if (found) return found;
  const made = make();
  try {
    await store(file, made);
    return open(file) ?? made;
  } catch {
    return made; // a full or read-only disk costs the next start its time, and nothing else
  }
}

/** Null when the file is damaged or cannot be mapped here. */
function open(file: string): Tensors | null {
  try {
    const { tensors } = openSafetensors(file);
    const { bytes } = mapFile(file); // for as long as the process lives: sessions read from it
    const now = new Date();
    utimesSync(file, now, now);
    return Object.fromEntries(
      [...tensors.values()].map(({ name, dtype, shape, offset }) => {
        const kind = dtype as keyof typeof dtypes;
        const { Data } = arrays[dtypes[kind]];
        const count = shape.reduce((all, dim) => all * dim, 1);
        if (offset % widths[kind] !== 0) throw new RangeError(`${name} is not aligned`);
        return [name, hostTensor(dtypes[kind], shape, new Data(bytes.buffer, offset, count) as never)];
      }),
    );
  } catch {
    return null;
  }
}

const arrays = { float32: { Data: Float32Array }, uint8: { Data: Uint8Array }, int8: { Data: Int8Array } } as const;

async function store(file: string, made: Tensors): Promise<void> {
  const folder = path.dirname(file);
  const tensors = Object.entries(made).map(([name, { shape, data }]) => ({ name, shape, data }));
  await replaceFile(file, (temporary) => writeSafetensors(temporary, tensors));
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.safetensors'))
    .map((name) => path.join(folder, name))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const old of files.slice(MOST_FILES)) rmSync(old, { force: true }); // whoever has it mapped keeps it
}

/** Changes when the code would round or lay out otherwise: it does so with a model of a few weights. */
function codeDigest(formats: readonly LinearFormat[]): string {
  const config = parseModelConfig({
    architectures: ['LlamaForCausalLM'],
    hidden_size: 32,
    intermediate_size: 48,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    vocab_size: 8,
  });
  const shapes = parameterShapes(config);
  const read = (name: string) =>
    Float32Array.from({ length: shapes.get(name)!.reduce((all, dim) => all * dim, 1) }, (_, i) => Math.sin(i * i));
  const hash = createHash('sha256');
  for (const format of formats)
    for (const [name, { shape, data }] of Object.entries(
      servingWeights(config, read, { format, maxSeq: 4, embedding: 'int8' }),
    ))
      hash.update(`${name} ${shape.join()}`).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return hash.digest('hex');
}
