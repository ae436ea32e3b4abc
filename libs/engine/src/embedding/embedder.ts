import { encodeModel } from '@attune/graph';
import { embeddingGraph, type ModelConfig, type ParameterReader, parameterShapes, LM_HEAD } from '@attune/models';
import { float32, hostTensor, int64, type Runtime, type Session } from '@attune/runtime';

export interface EmbedderModel {
  readonly runtime: Runtime;
  readonly config: ModelConfig;
  readonly read: ParameterReader;
  readonly threads?: number;
}

/** Texts as vectors: means of the base model's final hidden states, of length 1. Loaded when first asked. */
export class Embedder {
  private session: Promise<Session> | null = null;

  constructor(private readonly model: EmbedderModel) {}

  /** @param tokens at least one @returns [hidden], of length 1 */
  async embed(tokens: readonly number[]): Promise<Float32Array> {
    const session = await (this.session ??= this.load());
    const shape = [1, tokens.length];
    const ids = int64(shape, BigInt64Array.from(tokens, BigInt));
    const positions = int64(
      shape,
      BigInt64Array.from(tokens, (_, at) => BigInt(at)),
    );
    const segments = int64(shape, new BigInt64Array(tokens.length));
    const states = float32([tokens.length, this.model.config.hiddenSize]);
    await session.run({ ids, positions, segments }, { states });
    return unit(meanOfRows(states.data, this.model.config.hiddenSize));
  }

  async release(): Promise<void> {
    (await this.session?.catch(() => null))?.release();
  }

  private load(): Promise<Session> {
    const { runtime, config, read, threads } = this.model;
    const used = [...parameterShapes(config)].filter(([name]) => name !== LM_HEAD);
    const initializers = Object.fromEntries(
      used.map(([name, shape]) => [name, hostTensor('float32', [...shape], read(name))]),
    );
    const loaded = runtime.createSession(encodeModel(embeddingGraph(config)), {
      threads,
      spinning: false,
      initializers,
    });
    // What failed once may work later, when memory is free again.
    loaded.catch(() => (this.session = null));
    return loaded;
  }
}

/** Mean of the rows of a matrix [rows, width]. */
export function meanOfRows(values: Float32Array, width: number): Float32Array {
  const mean = new Float32Array(width);
  const rows = values.length / width;
  values.forEach((value, i) => (mean[i % width]! += value / rows));
  return mean;
}

/** The vector at length 1; one of zeros stays. */
export function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((value) => value / length);
}
