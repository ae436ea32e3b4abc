import type { Step, Vjp } from './step.js';
import { attention } from './vjp/attention.js';
import * as composite from './vjp/composite.js';
import * as elementwise from './vjp/elementwise.js';
import * as indexing from './vjp/indexing.js';
import * as normalization from './vjp/normalization.js';
import * as product from './vjp/product.js';
import * as reduction from './vjp/reduction.js';
import * as shaping from './vjp/shaping.js';

/** The derivative of every differentiable operator and composite: one row each. */
export const vjpTable: Readonly<Record<string, Vjp>> = {
  Neg: elementwise.neg,
  Exp: elementwise.exp,
  Log: elementwise.log,
  Sqrt: elementwise.sqrt,
  Reciprocal: elementwise.reciprocal,
  Sigmoid: elementwise.sigmoid,
  Tanh: elementwise.tanh,
  Softplus: elementwise.softplus,
  Abs: elementwise.abs,
  QuickGelu: elementwise.quickGelu,
  Identity: elementwise.identity,
  Cast: elementwise.cast,
  Add: elementwise.add,
  Sub: elementwise.sub,
  Mul: elementwise.mul,
  Div: elementwise.div,
  Pow: elementwise.pow,
  Min: elementwise.min,
  Max: elementwise.max,
  Where: elementwise.where,
  Reshape: shaping.reshape,
  Transpose: shaping.transpose,
  Expand: shaping.expand,
  Slice: shaping.slice,
  Concat: shaping.concat,
  Split: shaping.split,
  Gather: indexing.gather,
  GatherElements: indexing.gatherElements,
  ScatterElements: indexing.scatterAdd,
  ReduceSum: reduction.reduceSum,
  ReduceMean: reduction.reduceMean,
  Softmax: reduction.softmax,
  LogSoftmax: reduction.logSoftmax,
  MatMul: product.matmul,
  FusedMatMul: product.matmul,
  Gemm: product.matmul,
  RoundedLinear: product.roundedLinear,
  SimplifiedLayerNormalization: normalization.rmsNorm,
  RotaryEmbedding: normalization.rotary,
  Attention: attention,
  GatherDistinct: composite.gatherDistinct,
  TokenLogProbs: composite.tokenLogProbs,
  StopGradient: () => [null],
};

/** The table's row for a step; an operator without one cannot be differentiated through. */
export function vjpOf(step: Step): Vjp {
  const row = vjpTable[step.kind];
  if (!row) throw new Error(`vjp.ts has no row for the operator "${step.kind}", which the loss depends on`);
  return row;
}
