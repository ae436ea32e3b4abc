import { type Device, type DeviceTensor, float32, type HostTensor } from '@attune/runtime';
import type { LayerUpdate } from '../../adapters-prepared.js';

/** An adapter's inputs in a device's memory. */
export interface DeviceAdapter {
  readonly id: number;
  readonly inputs: Readonly<Record<string, DeviceTensor>>;
}

/** Adapters on a device; each leaves it when nobody refers to the adapter any more. */
export class DeviceAdapters {
  private readonly moved = new WeakMap<LayerUpdate, Promise<DeviceAdapter>>();
  private count = 0;

  constructor(private readonly device: Device) {}

  /** The adapter's inputs, moved when they are first asked for. */
  of(update: LayerUpdate): Promise<DeviceAdapter> {
    const known = this.moved.get(update);
    const made = known ?? this.move(update, ++this.count);
    this.moved.set(update, made);
    return made;
  }

  private async move({ inputs }: LayerUpdate, id: number): Promise<DeviceAdapter> {
    const moved: Record<string, DeviceTensor> = {};
    for (const [name, tensor] of Object.entries(inputs)) {
      const filled = withoutEmpty(tensor);
      moved[name] = await this.device.tensor('float32', filled.shape, filled);
    }
    return { id, inputs: moved };
  }
}

/** A device has no empty tensors: where an adapter changes nothing, one column of zeros stands for none. */
function withoutEmpty(tensor: HostTensor): HostTensor {
  return tensor.data.length > 0 ? tensor : float32(tensor.shape.map((dim) => Math.max(dim, 1)));
}
