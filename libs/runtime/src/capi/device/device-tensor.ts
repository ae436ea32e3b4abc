import { InternalError } from '@attune/platform';
import type { AnyTensor, DeviceKind, DeviceTensor, DType, HostTensor } from '../../types.js';
import { ortApi, type Pointer } from '../api.js';
import type { Gate } from '../gate.js';
import { ortValue } from '../value.js';

// Frees what was dropped without `release`; like every call about a device, only while nothing runs there.
const unreachable = new FinalizationRegistry<{ pointer: Pointer; gate: Gate }>(({ pointer, gate }) =>
  free(pointer, gate),
);

function free(pointer: Pointer, gate: Gate): void {
  gate.soon(() => void ortApi().raw.ReleaseValue(pointer));
}

/** An OrtValue in a device's memory. */
export class CapiDeviceTensor implements DeviceTensor {
  private released = false;

  constructor(
    readonly device: DeviceKind,
    readonly dtype: DType,
    readonly shape: readonly number[],
    private readonly value: Pointer,
    private readonly gate: Gate,
  ) {
    unreachable.register(this, { pointer: value, gate }, this);
  }

  /** @throws InternalError after `release` */
  get pointer(): Pointer {
    if (this.released)
      throw new InternalError(`a ${this.dtype} [${this.shape.join(', ')}] device tensor was used after its release`);
    return this.value;
  }

  release(): void {
    if (this.released) return;
    this.released = true;
    unreachable.unregister(this);
    free(this.value, this.gate);
  }
}

export const isDeviceTensor = (tensor: AnyTensor): tensor is CapiDeviceTensor => tensor instanceof CapiDeviceTensor;

/** The OrtValue of a tensor, wherever it lies. Valid while the tensor is reachable. */
export const valueOf = (tensor: AnyTensor): Pointer =>
  isDeviceTensor(tensor) ? tensor.pointer : ortValue(tensor as HostTensor);
