import type { Graph } from '../graph.js';
import type { Dim, Tensor } from '../types.js';
import { abs, add, div, maximum, mul, sub } from './elementwise.js';
import { reduceMax } from './reduce.js';

const LARGEST_8 = 127;
const ZERO_8 = 128;
const STEP = 1 / LARGEST_8;
/** Rounding to whole steps leaves at most half a step over: its own steps are as many times finer. */
const FINE_STEP = STEP / (2 * LARGEST_8);
/** Keeps a row of zeros from being divided by zero. */
const LEAST_MAGNITUDE = 1e-30;

/** A matrix W [out, in] that stands still, rounded to 8 bits with a scale for every output: W ≈ scales · values. */
export interface RoundedColumns {
  /** float32 [out] */
  readonly scales: Tensor;
  /** The values as int8 [in, out], which x · Wᵀ reads. */
  readonly columns: Tensor;
}

export interface RoundedMatrix extends RoundedColumns {
  /** The values as int8 [out, in], which dy · W reads. */
  readonly rows: Tensor;
}

/**
 * x · Wᵀ for x [..., in], as an operator with a derivative of its own: a rounded x has none that is of use, so it is
 * taken for x itself (the straight-through estimator, Bengio et al. 2013, https://arxiv.org/abs/1308.3432).
 */
export function roundedLinear(g: Graph, x: Tensor, weight: RoundedMatrix): Tensor {
  const build = () => ({ outputs: [roundedProduct(g, x, weight)], saved: { ...weight } });
  return g.composite('RoundedLinear', [x], build)[0]!;
}

/**
 * x · Wᵀ in products of 8-bit integers, which are summed exactly: a row's result does not depend on the rows beside it.
 * Each row of x is divided by its largest magnitude, so one constant step rounds them all. DynamicQuantizeMatMul would
 * find a common step for the whole tensor instead: as fast, but then rows depend on each other.
 */
export function roundedProduct(g: Graph, x: Tensor, { columns, scales }: RoundedColumns): Tensor {
  const largest = largestOf(g, x);
  return mul(g, integerProduct(g, rounded(g, div(g, x, largest), STEP), STEP, columns, scales), largest);
}

/**
 * dy · W [..., in] for dy [..., out], whose rows are rounded to 16 bits: 8 for the value and 8 for what they leave over.
 * Twice the product, half the time of one in single precision; off by some 2e-5 of the largest element.
 */
export function finelyRoundedProduct(g: Graph, dy: Tensor, { rows, scales }: Omit<RoundedMatrix, 'columns'>): Tensor {
  const scaled = mul(g, dy, scales);
  const largest = largestOf(g, scaled);
  const unit = div(g, scaled, largest);
  const coarse = rounded(g, unit, STEP);
  const fine = rounded(g, sub(g, unit, unrounded(g, coarse, STEP)), FINE_STEP);
  const one = g.scalar(1);
  const [whole, rest] = [integerProduct(g, coarse, STEP, rows, one), integerProduct(g, fine, FINE_STEP, rows, one)];
  return mul(g, add(g, whole, rest), largest);
}

/** The largest magnitude of each row, [..., 1]. */
function largestOf(g: Graph, x: Tensor): Tensor {
  return maximum(g, reduceMax(g, abs(g, x), { axes: [-1], keep: true }), g.scalar(LEAST_MAGNITUDE));
}

/** Whole numbers of steps, uint8 around 128. */
function rounded(g: Graph, x: Tensor, step: number): Tensor {
  const outputs = [{ dtype: 'uint8' as const, shape: x.shape }];
  return g.emit('QuantizeLinear', [x, g.scalar(step), zero(g)], { outputs })[0]!;
}

function unrounded(g: Graph, values: Tensor, step: number): Tensor {
  const outputs = [{ dtype: 'float32' as const, shape: values.shape }];
  return g.emit('DequantizeLinear', [values, g.scalar(step), zero(g)], { outputs })[0]!;
}

/** values [..., k] · matrix int8 [k, n] as float32, times the step of the values and the scales ([n] or one) of the matrix. */
function integerProduct(g: Graph, values: Tensor, step: number, matrix: Tensor, scales: Tensor): Tensor {
  const shape: Dim[] = [...values.shape.slice(0, -1), matrix.shape[1]!];
  const inputs = [values, matrix, g.scalar(step), scales, zero(g)];
  const outputs = [{ dtype: 'float32' as const, shape }];
  return g.emit('MatMulIntegerToFloat', inputs, { domain: 'com.microsoft', outputs })[0]!;
}

const zero = (g: Graph): Tensor => g.constant('uint8', [], Uint8Array.of(ZERO_8));
