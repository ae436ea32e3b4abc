import { type Device, type DeviceTensor, float32, type HostTensor } from '@attune/runtime';
import type { LayerUpdate } from '../../adapters-prepared.js';

/** An adapter's inputs in a device's memory. */
export interface DeviceAdapter {
  readonly id: number;
  readonly inputs: Readonly<Record<string, DeviceTensor>>;
}

/** Adapters of a few megabytes each; those that are asked for again cost one more trip. */
const MOST_ADAPTERS = 32;

/**
 * The adapters that were used last, on a device. Others leave it at once: nothing tells the garbage collector how much
 * device memory a small object stands for, so it cannot be left to it.
 */
export class DeviceAdapters {
  /** In the order of use, the latest last. */
  private readonly moved = new Map<LayerUpdate, Promise<DeviceAdapter>>();
  private count = 0;

  constructor(
    private readonly device: Device,
    /** Told before an adapter's memory is freed. */
    private readonly onLeave: (id: number) => void,
  ) {}

  /** The adapter's inputs, moved to the device when they are not there. Valid until the next call. */
  async of(update: LayerUpdate): Promise<DeviceAdapter> {
    const adapter = this.moved.get(update) ?? this.move(update, ++this.count);
    this.moved.delete(update);
    this.moved.set(update, adapter);
    adapter.catch(() => this.moved.get(update) === adapter && this.moved.delete(update)); // what failed is tried again
    const [oldest] = this.moved.keys();
    if (this.moved.size > MOST_ADAPTERS) await this.leave(oldest!);
    return adapter;
  }

  async release(): Promise<void> {
    for (const update of this.moved.keys()) await this.leave(update);
  }

  private async leave(update: LayerUpdate): Promise<void> {
    const moving = this.moved.get(update)!;
    this.moved.delete(update);
    const adapter = await moving.catch(() => null); // whoever asked for it was told
    if (!adapter) return;
    this.onLeave(adapter.id);
    for (const tensor of Object.values(adapter.inputs)) tensor.release();
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
