import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { InvalidRequestError } from '@attune/platform';
import { bytesPerElement, elementCount, viewAs, type TensorData } from './dtype.js';
import { bfloat16ToFloat32, float16ToFloat32 } from './half.js';
import { broken, MAX_HEADER_BYTES, parseHeader, type SafetensorsHeader, type TensorInfo } from './header.js';

/** Bytes converted at a time: a large bf16 matrix never stands in memory twice. */
const CHUNK_BYTES = 4 << 20;

/** A safetensors file whose header was read and checked; tensors are read from disk when asked for. */
export interface SafetensorsFile extends SafetensorsHeader {
  readonly file: string;
  /** The elements as stored (F16 and BF16 as their bits). */
  raw(name: string): TensorData;
  /** The elements as float32; F32, F16, BF16 and F64 only. */
  float32(name: string): Float32Array;
}

/**
 * Opens a file by its header only. No handle stays open between reads.
 * @throws InvalidRequestError when the file is damaged or cut, naming file and tensor
 */
export function openSafetensors(file: string): SafetensorsFile {
  const header = withFile(file, (fd) => readHeader(file, fd));
  return {
    ...header,
    file,
    raw: (name) => readRaw(file, findTensor(file, header, name)),
    float32: (name) => readFloat32(file, findTensor(file, header, name)),
  };
}

/**
 * Reads a whole file into memory that others were read into before: what it holds is valid until the next file is. For
 * files that come one after another and are small enough.
 * @throws InvalidRequestError as `openSafetensors` does
 */
export function readSafetensors(file: string, memory: FileMemory): SafetensorsFile {
  const { header, bytes } = withFile(file, (fd) => {
    const header = readHeader(file, fd);
    const bytes = memory.take(fstatSync(fd).size);
    fill(file, fd, bytes, 0);
    return { header, bytes };
  });
  const raw = (name: string) => viewOf(findTensor(file, header, name), bytes);
  return { ...header, file, raw, float32: (name) => asFloat32(file, findTensor(file, header, name), raw(name)) };
}

/** Kept at most: larger files are seldom, and fresh memory costs little beside reading them. */
const MOST_KEPT_BYTES = 64 << 20;

/** Where files are read into, one after another; it grows to the largest of them that it keeps memory for. */
export class FileMemory {
  private buffer = new ArrayBuffer(0);

  /** The first `size` bytes; whatever they held is gone. */
  take(size: number): Uint8Array<ArrayBuffer> {
    if (size > MOST_KEPT_BYTES) return new Uint8Array(size);
    if (this.buffer.byteLength < size) this.buffer = new ArrayBuffer(size);
    return new Uint8Array(this.buffer, 0, size);
  }
}

function findTensor(file: string, { tensors }: SafetensorsHeader, name: string): TensorInfo {
  const info = tensors.get(name);
  if (!info) throw new InvalidRequestError(`The weight file ${file} has no tensor \`${name}\``);
  return info;
}

/** The elements where they are; a copy of those that do not begin at a multiple of their size. */
function viewOf({ dtype, offset, byteLength, shape }: TensorInfo, { buffer }: Uint8Array<ArrayBuffer>): TensorData {
  const isAligned = offset % bytesPerElement(dtype) === 0;
  if (isAligned) return viewAs(dtype, buffer, elementCount(shape), offset);
  return viewAs(dtype, buffer.slice(offset, offset + byteLength), elementCount(shape));
}

function asFloat32(file: string, info: TensorInfo, data: TensorData): Float32Array {
  if (info.dtype === 'F32') return data as Float32Array;
  if (info.dtype === 'F64') return Float32Array.from(data as Float64Array);
  const target = new Float32Array(data.length);
  widenerOf(file, info)(data as Uint16Array, target);
  return target;
}

function readHeader(file: string, fd: number): SafetensorsHeader {
  const { size } = fstatSync(fd);
  if (size < 8) throw broken(file, `it has only ${size} bytes`);
  const prefix = readBytes(file, fd, 0, 8);
  const length = Number(prefix.readBigUInt64LE(0));
  if (length > MAX_HEADER_BYTES || 8 + length > size) {
    throw broken(file, `its header claims ${length} bytes and the file has ${size}`);
  }
  const json = readBytes(file, fd, 8, length).toString('utf8');
  return parseHeader(file, json, 8 + length, size);
}

function readRaw(file: string, info: TensorInfo): TensorData {
  const buffer = new ArrayBuffer(info.byteLength);
  withFile(file, (fd) => fill(file, fd, new Uint8Array(buffer), info.offset));
  return viewAs(info.dtype, buffer, elementCount(info.shape));
}

function readFloat32(file: string, info: TensorInfo): Float32Array {
  const { dtype } = info;
  if (dtype === 'F32' || dtype === 'F64') return asFloat32(file, info, readRaw(file, info));
  const widen = widenerOf(file, info);
  const target = new Float32Array(elementCount(info.shape));
  withFile(file, (fd) => {
    const step = CHUNK_BYTES / bytesPerElement(dtype);
    const chunk = new Uint16Array(Math.min(step, target.length));
    for (let start = 0; start < target.length; start += step) {
      const part = chunk.subarray(0, Math.min(step, target.length - start));
      fill(file, fd, new Uint8Array(part.buffer, 0, part.byteLength), info.offset + start * 2);
      widen(part, target.subarray(start, start + part.length));
    }
  });
  return target;
}

function widenerOf(file: string, { name, dtype }: TensorInfo) {
  if (dtype === 'F16') return float16ToFloat32;
  if (dtype === 'BF16') return bfloat16ToFloat32;
  throw new InvalidRequestError(
    `Tensor \`${name}\` of ${file} is stored as ${dtype}; weights must be F32, F16, BF16 or F64`,
  );
}

function withFile<T>(file: string, use: (fd: number) => T): T {
  const fd = openSync(file, 'r');
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

function readBytes(file: string, fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  fill(file, fd, bytes, position);
  return bytes;
}

/** One read call returns at most 2 GiB and may return less than asked for. */
function fill(file: string, fd: number, target: Uint8Array, position: number): void {
  for (let done = 0; done < target.length;) {
    const got = readSync(fd, target, done, Math.min(target.length - done, 1 << 30), position + done);
    if (got === 0) throw broken(file, `it ended at byte ${position + done} while it was read`);
    done += got;
  }
}
