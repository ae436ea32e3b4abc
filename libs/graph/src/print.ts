import type { Graph, Node } from './graph.js';
import { liveNodes } from './order.js';
import type { Attribute, Tensor } from './types.js';

/** The live part of a graph as text, one node a line: for reading, and for tests that pin a structure. */
export function printGraph(graph: Graph): string {
  return [
    `graph ${graph.name}`,
    ...graph.inputs.map((input) => `  input ${typed(input)}`),
    ...liveNodes(graph).map((node) => `  ${printNode(node)}`),
    ...graph.outputs.map(({ name, tensor }) => `  output ${name} = ${typed(tensor)}`),
  ].join('\n');
}

function printNode(node: Node): string {
  const attrs = Object.entries(node.attrs).map(([name, attribute]) => `${name}=${printAttribute(attribute)}`);
  const args = [...node.inputs.map((input) => input?.name ?? '_'), ...attrs].join(', ');
  return `${node.outputs.map(typed).join(', ')} = ${node.op}(${args})`;
}

function printAttribute(attribute: Attribute): string {
  if (attribute.kind === 'tensor') return `tensor[${attribute.value.shape.join(', ')}]`;
  return Array.isArray(attribute.value) ? `[${attribute.value.join(', ')}]` : String(attribute.value);
}

const typed = (tensor: Tensor): string => `${tensor.name}: ${tensor.dtype}[${tensor.shape.join(', ')}]`;
