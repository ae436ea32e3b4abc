import { encodeModel, Graph, roundedProduct } from '@attune/graph';
import { float32, hostTensor } from './tensor.js';
import type { Runtime } from './types.js';

/** x [rows, INNER] by weights int8 [INNER, OUT] of scale 1, as graphs with 8-bit weights compute it: [rows, OUT]. */
export type RoundedProduct = (x: Float32Array, weights: Int8Array) => Promise<Float32Array>;

const LARGEST = 127;
const INNER = 64;
const OUT = 40;
/** One row has a kernel of its own. */
const ROW_COUNTS = [1, 5] as const;
/** Of a sum; one that was cut off at 16 bits is a hundred times smaller than it should be. */
const TOLERANCE = 1e-3;

let known: Promise<boolean> | undefined;

/** What `sumsExactly` finds in this process; computed once. */
export function exactProducts(createSession: Runtime['createSession']): Promise<boolean> {
  return (known ??= withProduct(createSession, sumsExactly));
}

/**
 * Whether a product of 8-bit integers is summed exactly here. On x64 processors without VNNI or AMX, ONNX Runtime adds
 * unsigned by signed bytes up in pairs of at most 16 bits (VPMADDUBSW): 255 · 127 twice is cut off at 32,767.
 * @see https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html ("U8S8 on x64 … saturation")
 */
export async function sumsExactly(product: RoundedProduct): Promise<boolean> {
  const weights = new Int8Array(INNER * OUT).fill(LARGEST);
  for (const rows of ROW_COUNTS) {
    const sums = await product(new Float32Array(rows * INNER).fill(1), weights);
    if (!sums.every((sum) => Math.abs(sum / (INNER * LARGEST) - 1) < TOLERANCE)) return false;
  }
  return true;
}

async function withProduct<T>(
  createSession: Runtime['createSession'],
  use: (product: RoundedProduct) => Promise<T>,
): Promise<T> {
  const session = await createSession(encodeModel(productGraph()), { threads: 1, spinning: false });
  try {
    return await use(async (x, weights) => {
      const rows = x.length / INNER;
      const y = float32([rows, OUT], new Float32Array(rows * OUT));
      const scales = float32([OUT], new Float32Array(OUT).fill(1));
      const columns = hostTensor('int8', [INNER, OUT], weights);
      await session.run({ x: float32([rows, INNER], x), columns, scales }, { y });
      return y.data;
    });
  } finally {
    session.release();
  }
}

function productGraph(): Graph {
  const g = new Graph('exact products');
  const weight = { columns: g.input('columns', 'int8', [INNER, OUT]), scales: g.input('scales', 'float32', [OUT]) };
  g.output('y', roundedProduct(g, g.input('x', 'float32', ['N', INNER]), weight));
  return g;
}
