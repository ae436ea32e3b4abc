import * as op from '@attune/graph';
import { float } from '@attune/graph';
import { createRuntime } from '@attune/runtime';
import { describe, expect, it } from 'vitest';
import {
  type GradientCase,
  gradientError,
  int64Tensor,
  randomTensor,
} from '../../../test/support/finite-differences.js';
import { gradient, vjpTable } from './index.js';

/** The true derivative is zero; errors are relative to 1e-3 at least, so this allows 1e-4 of numeric noise. */
const DIFFERENCE_OF_TWINS = 0.1;

type Cases = Readonly<Record<string, readonly GradientCase[]>>;
type Inputs = Readonly<Record<string, op.Tensor>>;

const random = (...shape: number[]) => randomTensor(shape, 7 + shape.length);
const positive = (...shape: number[]) => randomTensor(shape, 11, 0.5, 2);
/** Values far enough apart that no finite step crosses a kink between the two. */
const below = randomTensor([2, 3], 12, -1, -0.2);
const above = randomTensor([2, 3], 13, 0.2, 1);
const mixed = { dtype: 'float32' as const, shape: [2, 3], data: Float32Array.of(-1, 0.5, -0.3, 0.7, 0.2, -0.6) };

const unary = (apply: (g: op.Graph, x: op.Tensor) => op.Tensor, x = random(2, 3)): GradientCase[] => [
  { inputs: { x }, build: (g, i) => apply(g, i['x']!) },
];

/** Same shape, both ways of broadcasting, and a scalar. */
const binary = (apply: (g: op.Graph, a: op.Tensor, b: op.Tensor) => op.Tensor, make = positive): GradientCase[] =>
  (
    [
      [
        [2, 3],
        [2, 3],
      ],
      [[2, 3], [3]],
      [
        [2, 1],
        [2, 3],
      ],
      [[2, 3], []],
    ] as const
  ).map(([a, b]) => ({ inputs: { a: make(...a), b: make(...b) }, build: (g, i) => apply(g, i['a']!, i['b']!) }));

const matmulCases: GradientCase[] = [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
].flatMap(([transA, transB]) => {
  const [a, b] = [transA ? [3, 2] : [2, 3], transB ? [4, 3] : [3, 4]];
  const build = (g: op.Graph, i: Inputs) => op.matmul(g, i['a']!, i['b']!, { transA, transB, alpha: 0.7 });
  const shapes = [
    [a, b],
    [
      [2, ...a],
      [2, ...b],
    ],
    [[2, ...a], b],
  ] as const;
  return shapes.map(([x, y]) => ({ inputs: { a: random(...x), b: random(...y) }, build }));
});

const withBias: GradientCase[] = [[4], [2, 4], [2, 1]].map((shape) => ({
  inputs: { x: random(2, 3), w: random(4, 3), c: random(...shape) },
  build: (g, i) => op.matmul(g, i['x']!, i['w']!, { transB: true, plus: i['c']! }),
}));

/** The same weight used twice: the second gradient is added inside the first's Gemm. */
const shared: GradientCase = {
  inputs: { x: random(2, 3), w: random(3, 3) },
  build: (g, i) => op.linear(g, op.linear(g, i['x']!, i['w']!), i['w']!),
};

const cases: Cases = {
  Neg: unary(op.neg),
  Exp: unary(op.exp),
  Log: unary(op.log, positive(2, 3)),
  Sqrt: unary(op.sqrt, positive(2, 3)),
  Reciprocal: unary(op.reciprocal, positive(2, 3)),
  Sigmoid: unary(op.sigmoid),
  Tanh: unary(op.tanh),
  Softplus: unary(op.softplus),
  Abs: unary(op.abs, mixed),
  QuickGelu: [
    ...unary(op.silu),
    ...unary((g, x) => g.emit('QuickGelu', [x], { domain: 'com.microsoft', attrs: { alpha: float(1.702) } })[0]!),
  ],
  Identity: unary((g, x) => g.emit('Identity', [x])[0]!),
  Cast: unary((g, x) => op.cast(g, op.cast(g, x, 'float64'), 'float32')),
  Add: binary(op.add),
  Sub: binary(op.sub),
  Mul: binary(op.mul),
  Div: binary(op.div),
  Pow: binary(op.pow),
  Min: [{ inputs: { a: mixed, b: below }, build: (g, i) => op.minimum(g, i['a']!, i['b']!) }, ...clampCases()],
  Max: [{ inputs: { a: mixed, b: above }, build: (g, i) => op.maximum(g, i['a']!, i['b']!) }, ...clampCases()],
  Where: [
    {
      inputs: { a: random(2, 3), b: random(3) },
      build: (g, i) => op.where(g, op.greater(g, i['a']!, g.scalar(5)), i['a']!, i['b']!),
    },
    {
      inputs: { a: mixed, b: random(2, 3) },
      build: (g, i) => op.where(g, op.greater(g, i['a']!, g.scalar(0)), i['a']!, i['b']!),
    },
  ],
  Reshape: [
    ...unary((g, x) => op.reshape(g, x, [3, 2])),
    {
      inputs: { x: random(2, 3, 4) },
      shapes: { x: ['B', 'T', 4] },
      build: (g, i) => op.reshape(g, op.reshape(g, i['x']!, ['B*T', 4]), ['B', 'T', 2, 2]),
    },
  ],
  Transpose: unary((g, x) => op.transpose(g, x, [2, 0, 1]), random(2, 3, 4)),
  Expand: unary((g, x) => op.expand(g, x, [4, 2, 3]), random(2, 1)),
  Slice: [
    ...unary((g, x) => op.slice(g, x, 1, 1, 3), random(2, 4)),
    {
      inputs: { x: random(4, 3) },
      shapes: { x: ['N', 3] },
      build: (g, i) => op.slice(g, op.concat(g, [i['x']!, i['x']!], 0), 0, 'N', '2*N'),
    },
  ],
  Concat: [
    { inputs: { a: random(2, 3), b: random(2, 1) }, build: (g, i) => op.concat(g, [i['a']!, i['b']!, i['a']!], 1) },
  ],
  Split: [
    {
      inputs: { x: random(2, 5) },
      build: (g, i) => {
        const [first, , last] = op.split(g, i['x']!, 1, g.ints([2, 1, 2]), [2, 1, 2]);
        return op.mul(g, first!, last!);
      },
    },
  ],
  Gather: [
    {
      inputs: { x: random(4, 3), at: int64Tensor([2, 3], [0, 2, 2, 3, 2, 0]) },
      build: (g, i) => op.gather(g, i['x']!, i['at']!),
    },
    {
      inputs: { x: random(4), at: int64Tensor([3], [1, 1, 3]) },
      build: (g, i) => op.gather(g, i['x']!, i['at']!),
    },
  ],
  GatherDistinct: [
    {
      inputs: { x: random(5, 3), at: int64Tensor([3], [4, 0, 2]) },
      build: (g, i) => op.gatherDistinct(g, i['x']!, i['at']!),
    },
  ],
  GatherElements: [
    {
      inputs: { x: random(2, 4), at: int64Tensor([2, 2], [3, 3, 0, 1]) },
      build: (g, i) => op.gatherElements(g, i['x']!, i['at']!, 1),
    },
  ],
  ScatterElements: [
    {
      inputs: { x: random(4), at: int64Tensor([3], [1, 1, 3]), u: randomTensor([3], 5) },
      build: (g, i) => op.scatterAdd(g, i['x']!, i['at']!, i['u']!, 0),
    },
  ],
  ReduceSum: reductions(op.reduceSum),
  ReduceMean: reductions(op.reduceMean),
  Softmax: unary(op.softmax, random(2, 3, 4)),
  LogSoftmax: unary(op.logSoftmax, random(2, 3, 4)),
  MatMul: [
    { inputs: { a: random(2, 3), b: random(3, 4) }, build: (g, i) => op.matmul(g, i['a']!, i['b']!) },
    { inputs: { a: random(2, 2, 3), b: random(3, 4) }, build: (g, i) => op.matmul(g, i['a']!, i['b']!) },
  ],
  FusedMatMul: matmulCases,
  Gemm: [...matmulCases, ...withBias, shared],
  SimplifiedLayerNormalization: [
    { inputs: { x: random(3, 4), w: random(4) }, build: (g, i) => op.rmsNorm(g, i['x']!, i['w']!, 1e-5).y },
  ],
  RotaryEmbedding: [
    {
      inputs: {
        x: random(2, 3, 8),
        at: int64Tensor([2, 3], [0, 1, 2, 2, 0, 4]),
        cos: randomTensor([5, 2], 3),
        sin: randomTensor([5, 2], 4),
      },
      constant: ['cos', 'sin'],
      build: (g, i) => op.rotary(g, i['x']!, i['at']!, i['cos']!, i['sin']!, 2),
    },
  ],
  Attention: [1, 2, 5].map((parts) => ({
    inputs: attentionInputs(),
    constant: ['mask'],
    shapes: parts === 1 ? {} : Object.fromEntries(['q', 'k', 'v', 'mask'].map((name) => [name, timeIsUnknown(name)])),
    build: (g, i) => op.attention(g, i['q']!, i['k']!, i['v']!, op.attentionPlan(g, i['mask']!, 2, parts), 0.5),
  })),
  TokenLogProbs: [[], ['w'], ['h']].map((constant) => ({
    inputs: { h: random(3, 4), w: random(5, 4), labels: int64Tensor([3], [4, 0, 4]) },
    constant,
    build: (g, i) => op.tokenLogProbs(g, i['h']!, i['w']!, i['labels']!, op.gather(g, i['w']!, i['labels']!)),
  })),
};

describe('vector-Jacobian products', () => {
  it.each(Object.keys(cases))('of %s agree with finite differences', async (kind) => {
    for (const one of cases[kind]!) expect(await gradientError(one)).toBeLessThan(3e-3);
  });

  it('have a finite-difference case for every differentiable row of the table', () => {
    // Rounding has no differences that a finite step could see: its derivative has specs of its own.
    const covered = [...Object.keys(cases), 'StopGradient', 'RoundedLinear'];
    expect(covered.sort()).toEqual(Object.keys(vjpTable).sort());
  });

  it('of token log-probs are those of the primitive twin', async () => {
    const inputs = { h: random(3, 4), w: random(5, 4), labels: int64Tensor([3, 1], [4, 0, 4]) };
    const build = (g: op.Graph, i: Inputs) => {
      const all = op.logSoftmax(g, op.linear(g, i['h']!, i['w']!));
      const twin = op.reshape(g, op.gatherElements(g, all, i['labels']!, 1), [3]);
      const labels = op.reshape(g, i['labels']!, [3]);
      return op.sub(g, twin, op.tokenLogProbs(g, i['h']!, i['w']!, labels, op.gather(g, i['w']!, labels)));
    };
    expect(await gradientError({ inputs, build })).toBeLessThan(DIFFERENCE_OF_TWINS);
  });

  it.each([1, 2, 3, 5])('of attention in %i parts are those of the primitive twin', async (parts) => {
    const build = (g: op.Graph, i: Inputs) => {
      const keys = op.transpose(g, i['k']!, [0, 1, 3, 2]);
      const grouped = op.reshape(g, i['q']!, [1, 2, 6, 4]);
      const scores = op.scale(g, op.matmul(g, grouped, keys), 0.5);
      const twice = op.concat(g, [i['mask']!, i['mask']!], 2);
      const twin = op.matmul(g, op.softmax(g, op.add(g, scores, twice)), i['v']!);
      const plan = op.attentionPlan(g, i['mask']!, 2, parts);
      return op.sub(g, op.reshape(g, twin, [1, 4, 3, 4]), op.attention(g, i['q']!, i['k']!, i['v']!, plan, 0.5));
    };
    expect(await gradientError({ inputs: attentionInputs(), constant: ['mask'], build })).toBeLessThan(
      DIFFERENCE_OF_TWINS,
    );
  });

  it('give zeros for a value that the loss does not depend on, and stop at stopGradient', async () => {
    const g = new op.Graph('stopped');
    const x = g.input('x', 'float32', [2]);
    const unused = g.input('unused', 'float32', [2]);
    const [grad, none] = gradient(g, op.reduceSum(g, op.mul(g, x, op.stopGradient(g, x))), [x, unused]);
    g.output('grad', op.concat(g, [grad!, none!], 0));
    const out = { dtype: 'float32' as const, shape: [4], data: new Float32Array(4).fill(7) };
    const session = await createRuntime({ threads: 1 }).createSession(op.encodeModel(g));
    await session.run({ x: { dtype: 'float32', shape: [2], data: Float32Array.of(3, 5) } }, { grad: out });
    expect([...out.data]).toEqual([3, 5, 0, 0]);
  });
});

function clampCases(): GradientCase[] {
  return [{ inputs: { x: mixed }, build: (g, i) => op.mul(g, i['x']!, op.clamp(g, i['x']!, -0.45, 0.45)) }];
}

function reductions(reduce: typeof op.reduceSum): GradientCase[] {
  const options = [{}, { axes: [1] }, { axes: [0, 2], keep: true }, { axes: [-1] }];
  const fixed = options.map((option) => unary((g, x) => reduce(g, x, option), random(2, 3, 4))[0]!);
  const symbolic: GradientCase = {
    inputs: { x: random(2, 3) },
    shapes: { x: ['B', 3] },
    build: (g, i) => reduce(g, op.mul(g, i['x']!, i['x']!), { axes: [0] }),
  };
  return [...fixed, symbolic];
}

/** Four query heads over two key heads, three positions, of which each sees those before it. */
function attentionInputs() {
  const rows = [0, 1, 2].map((query) => [0, 1, 2].map((key) => (key <= query ? 0 : op.MASKED)));
  const mask = { dtype: 'float32' as const, shape: [1, 1, 3, 3], data: Float32Array.from(rows.flat()) };
  return { q: random(1, 4, 3, 4), k: random(1, 2, 3, 4), v: randomTensor([1, 2, 3, 4], 5), mask };
}

function timeIsUnknown(name: string): (number | string)[] {
  return name === 'mask' ? [1, 1, 'T', 'T'] : [1, name === 'q' ? 4 : 2, 'T', 4];
}
