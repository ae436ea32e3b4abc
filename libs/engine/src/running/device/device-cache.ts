import { type Device, type DeviceTensor, hostTensor } from '@attune/runtime';
import type { KvCacheShape } from '../kv-cache.js';

export type RealType = 'float32' | 'float16';

/** Keys and values of one slot on a device: `<layer>.key|value` [1, kvHeads, maxSeq, headDim]. */
export interface CachedSlot {
  readonly id: number;
  readonly tensors: Readonly<Record<string, DeviceTensor>>;
}

/**
 * The KV cache of all slots in a device's memory. Every slot has tensors of its own, so that exchanging two slots is
 * exchanging two names. One more slot takes what padding rows write.
 */
export class DeviceCache {
  private constructor(
    readonly shape: KvCacheShape,
    private readonly device: Device,
    private readonly slots: CachedSlot[],
    /** Where rows that stand for nobody are written. */
    readonly spare: CachedSlot,
    readonly real: RealType,
  ) {}

  static async create(device: Device, shape: KvCacheShape, real: RealType): Promise<DeviceCache> {
    const slots: CachedSlot[] = [];
    for (let id = 0; id <= shape.slots; id++) slots.push({ id, tensors: await slotTensors(device, shape, real) });
    const spare = slots.pop()!;
    return new DeviceCache(shape, device, slots, spare, real);
  }

  /** Bytes of a position in a slot, over all layers. */
  get bytesPerToken(): number {
    const { layers, kvHeads, headDim } = this.shape;
    return layers * 2 * kvHeads * headDim * (this.real === 'float16' ? 2 : 4);
  }

  slot(index: number): CachedSlot {
    return this.slots[index]!;
  }

  /** Copies a slot. All of it, whatever the length: a device copies faster than it finds a part. */
  copy(from: number, to: number): void {
    const [source, target] = [this.slot(from), this.slot(to)];
    for (const [name, tensor] of Object.entries(source.tensors)) this.device.copySync(tensor, target.tensors[name]!);
  }

  /** Exchanges two slots. */
  swap(a: number, b: number): void {
    [this.slots[a], this.slots[b]] = [this.slot(b), this.slot(a)];
  }

  release(): void {
    for (const { tensors } of [...this.slots, this.spare])
      for (const tensor of Object.values(tensors)) tensor.release();
  }
}

async function slotTensors(device: Device, shape: KvCacheShape, real: RealType) {
  const { layers, kvHeads, maxSeq, headDim } = shape;
  const tensors: Record<string, DeviceTensor> = {};
  // Fresh memory may hold NaN, which even a weight of 0 does not take out of a sum.
  const zeros = hostTensor(real, [1, kvHeads, maxSeq, headDim]);
  for (let layer = 0; layer < layers; layer++)
    for (const kind of ['key', 'value']) tensors[`${layer}.${kind}`] = await device.tensor(real, zeros.shape, zeros);
  return tensors;
}
