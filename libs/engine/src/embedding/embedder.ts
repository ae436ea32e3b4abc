import { encodeModel } from '@attune/graph';
import { embeddingGraph, type ModelConfig, type ParameterReader, parameterShapes, LM_HEAD } from '@attune/models';
import { float32, hostTensor, int64, type Runtime, type Session } from '@attune/runtime';

export interface EmbedderOptions {
  readonly runtime: Runtime;
  readonly threads?: number;
  /** The model whose states are meant; called when a text first comes, and again after a failure. */
  readonly open: () => Promise<{ readonly config: ModelConfig; readonly read: ParameterReader }>;
}

interface Loaded {
  readonly session: Session;
  readonly hiddenSize: number;
}

/** Texts as vectors: means of a model's final hidden states, of length 1. Loaded when first asked. */
export class Embedder {
  private loaded: Promise<Loaded> | null = null;

  constructor(private readonly options: EmbedderOptions) {}

  /** @param tokens at least one @returns [hidden], of length 1 */
  async embed(tokens: readonly number[]): Promise<Float32Array> {
    const { session, hiddenSize } = await (this.loaded ??= this.load());
    const shape = [1, tokens.length];
    const ids = int64(shape, BigInt64Array.from(tokens, BigInt));
    const positions = int64(
      shape,
      BigInt64Array.from(tokens, (_, at) => BigInt(at)),
    );
    const segments = int64(shape, new BigInt64Array(tokens.length));
    const states = float32([tokens.length, hiddenSize]);
    await session.run({ ids, positions, segments }, { states });
    return unit(meanOfRows(states.data, hiddenSize));
  }

  async release(): Promise<void> {
    (await this.loaded?.catch(() => null))?.session.release();
  }

  private load(): Promise<Loaded> {
    const loading = this.createSession();
    // What failed once may work later, when memory is free again.
    loading.catch(() => (this.loaded = null));
    return loading;
  }

  private async createSession(): Promise<Loaded> {
    const { runtime, threads, open } = this.options;
    const { config, read } = await open();
    const used = [...parameterShapes(config)].filter(([name]) => name !== LM_HEAD);
    const initializers = Object.fromEntries(
      used.map(([name, shape]) => [name, hostTensor('float32', [...shape], read(name))]),
    );
    const options = { threads, spinning: false, initializers };
    const session = await runtime.createSession(encodeModel(embeddingGraph(config)), options);
    return { session, hiddenSize: config.hiddenSize };
  }
}

/** Mean of the rows of a matrix [rows, width]. */
function meanOfRows(values: Float32Array, width: number): Float32Array {
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
