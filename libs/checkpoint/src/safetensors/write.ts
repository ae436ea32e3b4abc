import { open, type FileHandle } from 'node:fs/promises';
import { bytesPerElement, elementCount, naturalDtype, type Dtype, type TensorData } from './dtype.js';
import { float32ToBfloat16, float32ToFloat16 } from './half.js';

/** One tensor to store. Without `dtype` it keeps its typed array's own type. */
export interface TensorToWrite {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: TensorData;
  /** F16 and BF16 round a Float32Array. */
  readonly dtype?: Dtype;
}

/**
 * Writes a safetensors file and waits until it is on the disk. Tensors are rounded one at a time, so memory holds at
 * most one converted copy. Wide types come first, then by name, which keeps every tensor aligned.
 */
export async function writeSafetensors(
  file: string,
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> = { format: 'pt' },
): Promise<void> {
  const ordered = tensors.map(withDtype).sort(byWidthThenName);
  const handle = await open(file, 'w');
  try {
    await writeAll(handle, encodeHeader(ordered, metadata));
    for (const tensor of ordered) await writeAll(handle, encode(tensor));
    await handle.sync();
  } finally {
    await handle.close();
  }
}

type Typed = TensorToWrite & { readonly dtype: Dtype };

function withDtype(tensor: TensorToWrite): Typed {
  const count = elementCount(tensor.shape);
  if (count !== tensor.data.length) {
    throw new RangeError(
      `tensor \`${tensor.name}\` of shape [${tensor.shape.join(', ')}] needs ${count} elements, got ${tensor.data.length}`,
    );
  }
  const dtype = tensor.dtype ?? naturalDtype(tensor.data);
  const rounds = (dtype === 'F16' || dtype === 'BF16') && tensor.data instanceof Float32Array;
  if (!rounds && bytesPerElement(dtype) !== tensor.data.BYTES_PER_ELEMENT) {
    throw new RangeError(`tensor \`${tensor.name}\` cannot be stored as ${dtype}`);
  }
  return { ...tensor, dtype };
}

const byWidthThenName = (a: Typed, b: Typed) =>
  bytesPerElement(b.dtype) - bytesPerElement(a.dtype) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

function encodeHeader(tensors: readonly Typed[], metadata: Readonly<Record<string, string>>): Buffer {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const { name, dtype, shape } of tensors) {
    const end = offset + elementCount(shape) * bytesPerElement(dtype);
    header[name] = { dtype, shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Math.ceil(json.length / 8) * 8;
  const bytes = Buffer.alloc(8 + padded, ' ');
  bytes.writeBigUInt64LE(BigInt(padded), 0);
  json.copy(bytes, 8);
  return bytes;
}

function encode({ dtype, data }: Typed): Uint8Array {
  const rounded =
    data instanceof Float32Array && dtype === 'F16'
      ? float32ToFloat16(data)
      : data instanceof Float32Array && dtype === 'BF16'
        ? float32ToBfloat16(data)
        : data;
  return new Uint8Array(rounded.buffer, rounded.byteOffset, rounded.byteLength);
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, Math.min(bytes.length - done, 1 << 30));
    done += bytesWritten;
  }
}
