/** The element types of safetensors files, https://github.com/huggingface/safetensors#format (little-endian). */
export type TensorData =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

interface DtypeInfo {
  readonly bytes: number;
  /** What the bytes are viewed as; F16 and BF16 show their bits. */
  readonly view: new (buffer: ArrayBuffer, byteOffset: number, length: number) => TensorData;
}

const dtypes = {
  F64: { bytes: 8, view: Float64Array },
  F32: { bytes: 4, view: Float32Array },
  F16: { bytes: 2, view: Uint16Array },
  BF16: { bytes: 2, view: Uint16Array },
  I64: { bytes: 8, view: BigInt64Array },
  U64: { bytes: 8, view: BigUint64Array },
  I32: { bytes: 4, view: Int32Array },
  U32: { bytes: 4, view: Uint32Array },
  I16: { bytes: 2, view: Int16Array },
  U16: { bytes: 2, view: Uint16Array },
  I8: { bytes: 1, view: Int8Array },
  U8: { bytes: 1, view: Uint8Array },
  BOOL: { bytes: 1, view: Uint8Array },
  F8_E4M3: { bytes: 1, view: Uint8Array },
  F8_E5M2: { bytes: 1, view: Uint8Array },
} as const satisfies Record<string, DtypeInfo>;

export type Dtype = keyof typeof dtypes;

export const isDtype = (name: unknown): name is Dtype => typeof name === 'string' && Object.hasOwn(dtypes, name);
export const bytesPerElement = (dtype: Dtype): number => dtypes[dtype].bytes;
export const elementCount = (shape: readonly number[]): number => shape.reduce((product, dim) => product * dim, 1);

/** A view of whole elements; `offset` must be a multiple of the element size. */
export function viewAs(dtype: Dtype, buffer: ArrayBuffer, length: number, offset = 0): TensorData {
  return new dtypes[dtype].view(buffer, offset, length);
}

/** The type a typed array is stored as when nothing else is said. */
export function naturalDtype(data: TensorData): Dtype {
  if (data instanceof Float32Array) return 'F32';
  if (data instanceof Float64Array) return 'F64';
  if (data instanceof BigInt64Array) return 'I64';
  if (data instanceof BigUint64Array) return 'U64';
  if (data instanceof Int32Array) return 'I32';
  if (data instanceof Uint32Array) return 'U32';
  if (data instanceof Int16Array) return 'I16';
  if (data instanceof Uint16Array) return 'U16';
  return data instanceof Int8Array ? 'I8' : 'U8';
}
