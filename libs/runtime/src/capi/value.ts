import { InternalError } from '@attune/platform';
import { elementCount, elementTypes } from '../tensor.js';
import type { HostTensor, TensorData } from '../types.js';
import { ortApi, type Pointer } from './api.js';
import { cpuMemory } from './env.js';

interface Wrapped {
  readonly pointer: Pointer;
  readonly memory: TensorData;
}

// An OrtValue is made once per HostTensor and freed when the tensor is collected.
const wrapped = new WeakMap<HostTensor, Wrapped>();
const unreachable = new FinalizationRegistry<Pointer>((pointer) => ortApi().raw.ReleaseValue(pointer));

/** The OrtValue over a tensor's memory. Valid while the tensor is reachable: whoever uses the pointer holds the tensor. */
export function ortValue(tensor: HostTensor): Pointer {
  const known = wrapped.get(tensor);
  if (known) return known.pointer;
  const made = wrap(tensor);
  wrapped.set(tensor, made);
  unreachable.register(tensor, made.pointer);
  return made.pointer;
}

function wrap({ dtype, shape, data }: HostTensor): Wrapped {
  const { code, Data } = elementTypes[dtype];
  if (!(data instanceof Data) || data.length !== elementCount(shape)) {
    throw new InternalError(`tensor data (${data.length} elements) do not fit ${dtype} [${shape.join(', ')}]`);
  }
  const memory = data.length > 0 ? data : new Uint8Array(8);
  void memory.buffer; // moves a small array out of the garbage collector's reach, so that its address is stable
  const dims = BigInt64Array.from(shape, BigInt);
  const parameters = [cpuMemory(), memory, data.byteLength, dims, dims.length, code];
  return { pointer: ortApi().create('CreateTensorWithDataAsOrtValue', ...parameters), memory };
}
