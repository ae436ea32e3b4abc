/** Element types a tensor may have, named as onnxruntime-node names them. */
export type DType =
  'float32' | 'float16' | 'bfloat16' | 'float64' | 'int64' | 'int32' | 'uint32' | 'int8' | 'uint8' | 'bool';

/**
 * One dimension: a fixed size, or a symbolic one. Symbols are plain words (`'B'`), products are written
 * `'2*B*T'` (coefficient first, symbols sorted) so that equal dims are equal strings.
 */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** What an operator produces, before it has a name. */
export interface TensorSpec {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** A handle on one value of a graph. Handles are compared by name within their graph. */
export interface Tensor extends TensorSpec {
  readonly name: string;
}

export type TypedArray =
  Float32Array | Float64Array | BigInt64Array | Int32Array | Uint32Array | Int8Array | Uint8Array | Uint16Array;

/** A literal tensor, as initializers and tensor-valued attributes carry it. */
export interface TensorLiteral extends TensorSpec {
  readonly data: TypedArray;
}

export type Attribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'tensor'; readonly value: TensorLiteral };
export type Attributes = Readonly<Record<string, Attribute>>;

export const int = (value: number): Attribute => ({ kind: 'int', value });
export const float = (value: number): Attribute => ({ kind: 'float', value });
export const string = (value: string): Attribute => ({ kind: 'string', value });
export const ints = (value: readonly number[]): Attribute => ({ kind: 'ints', value });
export const floats = (value: readonly number[]): Attribute => ({ kind: 'floats', value });
export const literal = (dtype: DType, shape: readonly number[], data: TypedArray): Attribute => ({
  kind: 'tensor',
  value: { dtype, shape, data },
});

/** Reads an integer attribute, or `fallback` when the node does not carry it. */
export function intAttribute(attrs: Attributes, name: string, fallback: number): number {
  const found = attrs[name];
  return found?.kind === 'int' ? found.value : fallback;
}

/** Reads a float attribute, or `fallback` when the node does not carry it. */
export function floatAttribute(attrs: Attributes, name: string, fallback: number): number {
  const found = attrs[name];
  return found?.kind === 'float' ? found.value : fallback;
}

/** Reads an integer-list attribute, or `fallback` when the node does not carry it. */
export function intsAttribute(attrs: Attributes, name: string, fallback: readonly number[]): readonly number[] {
  const found = attrs[name];
  return found?.kind === 'ints' ? found.value : fallback;
}

/** ONNX TensorProto.DataType numbers (onnx.proto3). */
export const ONNX_DTYPE: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  bfloat16: 16,
};

/** Bytes per element. */
export const DTYPE_BYTES: Readonly<Record<DType, number>> = {
  float32: 4,
  uint8: 1,
  int8: 1,
  int32: 4,
  int64: 8,
  bool: 1,
  float16: 2,
  float64: 8,
  uint32: 4,
  bfloat16: 2,
};

export const isFloat = (dtype: DType): boolean =>
  dtype === 'float32' || dtype === 'float16' || dtype === 'bfloat16' || dtype === 'float64';
