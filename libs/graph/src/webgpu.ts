import type { Graph, Node } from './graph.js';
import * as op from './ops/index.js';
import { floatAttribute, intAttribute, type Tensor } from './types.js';

type Rewrite = (g: Graph, node: Node) => Tensor[];

/**
 * Rewrites, in place, what ONNX Runtime's WebGPU provider computes wrongly or leaves to the CPU, in terms of what it does
 * compute. Values and names of everything else stay as they are; done after differentiation, which knows the originals.
 */
export function lowerForWebGpu(g: Graph): void {
  for (const node of g.nodes.splice(0)) {
    const rewrite = rewrites[node.op];
    // Nodes are named by where they stand, and further ones come between.
    if (!rewrite) g.nodes.push({ ...node, name: `${node.op}_${g.nodes.length}` });
    else rewrite(g, node).forEach((value, i) => rename(g, value, node.outputs[i]!));
  }
}

/** Per operator: how it is rewritten. */
const rewrites: Readonly<Record<string, Rewrite>> = {
  // Its second output comes out as the mean instead of 1 / rms, without an error (ONNX Runtime 1.30). Where nobody reads
  // that, it is rewritten all the same: a forward pass by itself must give the bits of one with gradients behind it.
  SimplifiedLayerNormalization: rmsNorm,
  FusedMatMul: fusedMatMul,
  LogSoftmax: logSoftmax,
  // It would be filled by the CPU and carried over in every run: all of an embedding matrix, where its gradient begins.
  ConstantOfShape: filled,
};

function rmsNorm(g: Graph, { inputs, attrs }: Node): Tensor[] {
  const [x, weight] = inputs as [Tensor, Tensor];
  const meanSquare = op.reduceMean(g, op.mul(g, x, x), { axes: [-1], keep: true });
  const shifted = op.add(g, meanSquare, g.scalar(floatAttribute(attrs, 'epsilon', 1e-5)));
  const inverseRms = op.reciprocal(g, op.sqrt(g, shifted));
  return [op.mul(g, op.mul(g, x, inverseRms), weight), inverseRms];
}

function fusedMatMul(g: Graph, { inputs, attrs }: Node): Tensor[] {
  const [a, b] = inputs as [Tensor, Tensor];
  const left = intAttribute(attrs, 'transA', 0) ? swapLastTwo(g, a) : a;
  const right = intAttribute(attrs, 'transB', 0) ? swapLastTwo(g, b) : b;
  return [op.scale(g, op.matmul(g, left, right), floatAttribute(attrs, 'alpha', 1))];
}

/** x − max − log Σ exp(x − max), which neither overflows nor loses what is near 0. */
function logSoftmax(g: Graph, { inputs }: Node): Tensor[] {
  const x = inputs[0]!;
  const shifted = op.sub(g, x, op.reduceMax(g, x, { axes: [-1], keep: true }));
  const total = op.reduceSum(g, op.exp(g, shifted), { axes: [-1], keep: true });
  return [op.sub(g, shifted, op.log(g, total))];
}

function filled(g: Graph, { inputs, attrs, outputs }: Node): Tensor[] {
  const [{ dtype, shape }] = outputs as [Tensor];
  const value = attrs['value'];
  const data = value?.kind === 'tensor' ? value.value.data : Float32Array.of(0);
  return g.emit('Expand', [g.constant(dtype, [1], data), inputs[0]!], { outputs: [{ dtype, shape }] });
}

function swapLastTwo(g: Graph, x: Tensor): Tensor {
  const axes = x.shape.map((_, axis) => axis);
  return op.transpose(g, x, [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!]);
}

/** Gives a value the name under which others read it. */
function rename(g: Graph, value: Tensor, as: Tensor): void {
  const maker = g.nodes.findLast(({ outputs }) => outputs.some(({ name }) => name === value.name))!;
  const outputs = maker.outputs.map((output) => (output.name === value.name ? as : output));
  const renamed = { ...maker, outputs };
  g.nodes[g.nodes.lastIndexOf(maker)] = renamed;
  for (let i = g.nodes.lastIndexOf(renamed) + 1; i < g.nodes.length; i++) {
    const node = g.nodes[i]!;
    const inputs = node.inputs.map((input) => (input?.name === value.name ? as : input));
    g.nodes[i] = { ...node, inputs };
  }
}
