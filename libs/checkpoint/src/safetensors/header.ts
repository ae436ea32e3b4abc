import { InvalidRequestError } from '@attune/platform';
import { bytesPerElement, elementCount, isDtype, type Dtype } from './dtype.js';

export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** First byte, counted from the start of the file. */
  readonly offset: number;
  readonly byteLength: number;
}

export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Same limit as the reference implementation: a longer header is an attack or a mistake. */
export const MAX_HEADER_BYTES = 100_000_000;

/**
 * Reads the JSON between the 8-byte length and the data, and checks that the tensors tile the data section exactly:
 * no hole, no overlap, nothing missing at the end (the rules of the reference implementation).
 * @param json header text, without the length
 * @param dataStart first byte of the data section
 * @throws InvalidRequestError naming file and tensor
 */
export function parseHeader(file: string, json: string, dataStart: number, fileSize: number): SafetensorsHeader {
  const entries = parseObject(file, json);
  const { __metadata__: metadata = {}, ...rest } = entries;
  const tensors = Object.entries(rest).map(([name, entry]) => parseTensor(file, name, entry, dataStart));
  checkTiling(file, tensors, dataStart, fileSize);
  return {
    tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])),
    metadata: metadata as Record<string, string>,
  };
}

function parseObject(file: string, json: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(json);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
      return parsed as Record<string, unknown>;
    }
  } catch {
    // Falls through to the one sentence below: what exactly JSON.parse stumbled on helps nobody.
  }
  throw broken(file, 'its header is not a JSON object');
}

function parseTensor(file: string, name: string, entry: unknown, dataStart: number): TensorInfo {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  if (!isDtype(dtype)) throw broken(file, `tensor \`${name}\` has the unknown type ${JSON.stringify(dtype)}`);
  if (!isIndexArray(shape)) throw broken(file, `tensor \`${name}\` has the shape ${JSON.stringify(shape)}`);
  if (!isIndexArray(offsets) || offsets.length !== 2 || offsets[1] < offsets[0]) {
    throw broken(file, `tensor \`${name}\` has the offsets ${JSON.stringify(offsets)}`);
  }
  const byteLength = offsets[1] - offsets[0];
  const expected = elementCount(shape) * bytesPerElement(dtype);
  if (byteLength !== expected) {
    throw broken(
      file,
      `tensor \`${name}\` (${dtype} [${shape.join(', ')}]) takes ${expected} bytes but has ${byteLength}`,
    );
  }
  return { name, dtype, shape, offset: dataStart + offsets[0], byteLength };
}

function checkTiling(file: string, tensors: readonly TensorInfo[], dataStart: number, fileSize: number): void {
  let end = dataStart;
  for (const tensor of [...tensors].sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength)) {
    if (tensor.offset !== end) {
      throw broken(file, `tensor \`${tensor.name}\` starts at byte ${tensor.offset} where ${end} was expected`);
    }
    end += tensor.byteLength;
    if (end > fileSize) {
      throw broken(file, `it ends at byte ${fileSize}, inside tensor \`${tensor.name}\` which ends at ${end}`);
    }
  }
  if (end !== fileSize) throw broken(file, `${fileSize - end} bytes follow the last tensor`);
}

function isIndexArray(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

/** The error of every damaged weight file. */
export function broken(file: string, what: string): InvalidRequestError {
  return new InvalidRequestError(`The weight file ${file} is damaged: ${what}; download or write it again`, {
    code: 'broken_safetensors',
  });
}
