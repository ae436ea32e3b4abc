import type { Graph, Initializer, Node } from './graph.js';
import { liveNodes, memoryOrder } from './order.js';
import { ProtoWriter } from './protobuf.js';
import { type Attribute, DTYPE_BYTES, ONNX_DTYPE, type Shape, type TensorLiteral, type TypedArray } from './types.js';

const IR_VERSION = 10;
/** ONNX operator set of the default domain. */
const OPSET = 21;

/**
 * Serialises a graph as an ONNX ModelProto. Nodes, inputs and initializers that no output needs are left out.
 * Initializers without data are written as external data that whoever creates the session must supply by name.
 */
export function encodeModel(graph: Graph): Uint8Array {
  const nodes = memoryOrder([...liveNodes(graph), ...renamings(graph)]);
  const read = new Set(nodes.flatMap((node) => node.inputs.map((input) => input?.name ?? '')));
  const writer = new ProtoWriter().varint(1, IR_VERSION).string(2, 'attune');
  writer.message(7, (proto) => {
    for (const node of nodes) proto.message(1, (to) => writeNode(to, node));
    proto.string(2, graph.name);
    for (const initializer of graph.initializers.values())
      if (read.has(initializer.name)) proto.message(5, (to) => writeInitializer(to, initializer));
    for (const input of usedInputs(graph)) proto.message(11, (to) => writeValue(to, input.name, input));
    for (const { name, tensor } of graph.outputs) proto.message(12, (to) => writeValue(to, name, tensor));
  });
  writer.message(8, (opset) => opset.string(1, '').varint(2, OPSET));
  writer.message(8, (opset) => opset.string(1, 'com.microsoft').varint(2, 1));
  return writer.finish();
}

/** The declared inputs that the encoded model really has: those some output depends on. */
export function usedInputs(graph: Graph): Graph['inputs'] {
  const read = new Set(liveNodes(graph).flatMap((node) => node.inputs.map((input) => input?.name ?? '')));
  for (const { tensor } of graph.outputs) read.add(tensor.name);
  return graph.inputs.filter((input) => read.has(input.name));
}

function renamings(graph: Graph): Node[] {
  return graph.outputs.map(({ name, tensor }) => ({
    name: `output ${name}`,
    op: 'Identity',
    domain: '',
    inputs: [tensor],
    outputs: [{ ...tensor, name }],
    attrs: {},
    composite: null,
    segment: null,
  }));
}

function writeNode(to: ProtoWriter, node: Node): void {
  for (const input of node.inputs) to.string(1, input?.name ?? '');
  for (const output of node.outputs) to.string(2, output.name);
  to.string(3, node.name).string(4, node.op);
  for (const [name, attribute] of Object.entries(node.attrs))
    to.message(5, (at) => writeAttribute(at, name, attribute));
  if (node.domain) to.string(7, node.domain);
}

/** AttributeProto: field numbers and type codes of onnx.proto3. */
function writeAttribute(to: ProtoWriter, name: string, attribute: Attribute): void {
  to.string(1, name);
  switch (attribute.kind) {
    case 'float':
      return void to.float(2, attribute.value).varint(20, 1);
    case 'int':
      return void to.varint(3, attribute.value).varint(20, 2);
    case 'string':
      return void to.string(4, attribute.value).varint(20, 3);
    case 'tensor':
      return void to.message(5, (at) => writeLiteral(at, '', attribute.value)).varint(20, 4);
    case 'floats':
      for (const value of attribute.value) to.float(7, value);
      return void to.varint(20, 6);
    case 'ints':
      for (const value of attribute.value) to.varint(8, value);
      return void to.varint(20, 7);
  }
}

function writeInitializer(to: ProtoWriter, { name, dtype, shape, data }: Initializer): void {
  if (data) return writeLiteral(to, name, { dtype, shape, data });
  for (const dim of shape) to.varint(1, dim);
  to.varint(2, ONNX_DTYPE[dtype]).string(8, name);
  const length = shape.reduce((all, dim) => all * dim, 1) * DTYPE_BYTES[dtype];
  for (const [key, value] of Object.entries({ location: name, offset: '0', length: String(length) }))
    to.message(13, (entry) => entry.string(1, key).string(2, value));
  to.varint(14, 1);
}

function writeLiteral(to: ProtoWriter, name: string, { dtype, shape, data }: TensorLiteral): void {
  for (const dim of shape) to.varint(1, dim as number);
  to.varint(2, ONNX_DTYPE[dtype]).string(8, name).bytes(9, rawBytes(data));
}

function writeValue(to: ProtoWriter, name: string, value: { dtype: keyof typeof ONNX_DTYPE; shape: Shape }): void {
  to.string(1, name).message(2, (type) =>
    type.message(1, (tensor) => {
      tensor.varint(1, ONNX_DTYPE[value.dtype]).message(2, (shape) => {
        for (const dim of value.shape)
          shape.message(1, (to) => void (typeof dim === 'number' ? to.varint(1, dim) : to.string(2, dim)));
      });
    }),
  );
}

function rawBytes(data: TypedArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
