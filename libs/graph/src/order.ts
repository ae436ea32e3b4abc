import type { Graph, Node } from './graph.js';

/** The nodes that the outputs need, in their original order. */
export function liveNodes(graph: Graph): Node[] {
  const needed = new Set(graph.outputs.map(({ tensor }) => tensor.name));
  const kept: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((output) => needed.has(output.name))) continue;
    kept.push(node);
    for (const input of node.inputs) if (input) needed.add(input.name);
  }
  return kept.reverse();
}

/**
 * Puts leaf nodes (whose outputs no node reads) last, the latest ready first. ONNX Runtime orders execution by a
 * depth-first walk from the leaves, last leaf in the file first: this order makes each weight gradient run as soon
 * as it can, instead of keeping every activation alive until the whole backward pass is over.
 */
export function memoryOrder(nodes: readonly Node[]): Node[] {
  const read = new Set(nodes.flatMap((node) => node.inputs.map((input) => input?.name ?? '')));
  const isLeaf = (node: Node): boolean => !node.outputs.some((output) => read.has(output.name));
  const depths = longestPaths(nodes);
  const leaves = nodes.filter(isLeaf).sort((a, b) => depths.get(b)! - depths.get(a)!);
  return [...nodes.filter((node) => !isLeaf(node)), ...leaves];
}

function longestPaths(nodes: readonly Node[]): Map<Node, number> {
  const depths = new Map<Node, number>();
  const producers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output.name, node])));
  for (const node of nodes) {
    const before = node.inputs.map((input) => (input && producers.get(input.name)) || null);
    depths.set(node, Math.max(0, ...before.map((producer) => (producer ? (depths.get(producer) ?? 0) + 1 : 0))));
  }
  return depths;
}
