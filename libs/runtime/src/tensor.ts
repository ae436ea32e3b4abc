import { InternalError } from '@attune/platform';
import type { DType, HostTensor, TensorData } from './types.js';

type ArrayOf<D extends DType> = D extends 'float32'
  ? Float32Array
  : D extends 'float16'
    ? Uint16Array
    : D extends 'int64'
      ? BigInt64Array
      : D extends 'int32'
        ? Int32Array
        : D extends 'int8'
          ? Int8Array
          : Uint8Array;

export type TypedTensor<D extends DType> = HostTensor & { readonly dtype: D; readonly data: ArrayOf<D> };

/** A row of ONNX's TensorProto.DataType enum, and the array that holds it. */
export const elementTypes = {
  float32: { code: 1, Data: Float32Array },
  uint8: { code: 2, Data: Uint8Array },
  int8: { code: 3, Data: Int8Array },
  int32: { code: 6, Data: Int32Array },
  int64: { code: 7, Data: BigInt64Array },
  bool: { code: 9, Data: Uint8Array },
  float16: { code: 10, Data: Uint16Array },
} as const satisfies Record<DType, { code: number; Data: new (length: number) => TensorData }>;

export const elementCount = (shape: readonly number[]) => shape.reduce((product, dim) => product * dim, 1);

/**
 * A tensor over `data`, or over fresh zeros.
 * @throws InternalError when the data do not fit the type or the shape
 */
export function hostTensor<D extends DType>(dtype: D, shape: readonly number[], data?: ArrayOf<D>): TypedTensor<D> {
  const { Data } = elementTypes[dtype];
  const values = data ?? (new Data(elementCount(shape)) as ArrayOf<D>);
  if (!(values instanceof Data) || values.length !== elementCount(shape)) {
    throw new InternalError(
      `a ${dtype} tensor of shape [${shape.join(', ')}] needs ${elementCount(shape)} elements in a ${Data.name}, ` +
        `but got ${values.length} in a ${values.constructor.name}`,
    );
  }
  return { dtype, shape: [...shape], data: values };
}

export const float32 = (shape: readonly number[], data?: Float32Array) => hostTensor('float32', shape, data);
export const int64 = (shape: readonly number[], data?: BigInt64Array) => hostTensor('int64', shape, data);
export const int32 = (shape: readonly number[], data?: Int32Array) => hostTensor('int32', shape, data);
