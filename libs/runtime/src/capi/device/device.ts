import { InternalError } from '@attune/platform';
import { elementCount, elementTypes } from '../../tensor.js';
import type { AnyTensor, Device, DeviceKind, DType, HostTensor } from '../../types.js';
import { ortApi, type Pointer } from '../api.js';
import { Gate } from '../gate.js';
import { type Courier, courierFor, identitySession } from './courier.js';
import { CapiDeviceTensor } from './device-tensor.js';
import { deviceUnavailable, memoryName } from './providers.js';

const DEVICE_ALLOCATOR = 0;
const DEFAULT_MEMORY = 0;

const opened = new Map<DeviceKind, Promise<CapiDevice>>();

/** A device of ONNX Runtime: its memory, its queue, and the session that keeps both alive for the process's life. */
export class CapiDevice implements Device {
  /** At most one run, copy, allocation or session creation at a time. */
  readonly gate = new Gate(1);
  private readonly allocator: Pointer;

  private constructor(
    readonly kind: DeviceKind,
    anchor: Pointer,
    private readonly courier: Courier = courierFor(kind),
  ) {
    const { create } = ortApi();
    const memory = create('CreateMemoryInfo', memoryName[kind], DEVICE_ALLOCATOR, 0, DEFAULT_MEMORY);
    this.allocator = create('CreateAllocator', anchor, memory);
  }

  /** @throws UnavailableError when the provider cannot be loaded or finds no device */
  static open(kind: DeviceKind): Promise<CapiDevice> {
    const known = opened.get(kind);
    if (known) return known;
    const device = CapiDevice.create(kind);
    opened.set(kind, device);
    device.catch(() => opened.delete(kind)); // what is missing may be there next time
    return device;
  }

  private static async create(kind: DeviceKind): Promise<CapiDevice> {
    try {
      return new CapiDevice(kind, await identitySession(kind, 'float32', 1));
    } catch (error) {
      throw deviceUnavailable(kind, error);
    }
  }

  async tensor(dtype: DType, shape: readonly number[], values?: HostTensor): Promise<CapiDeviceTensor> {
    return this.gate.through(async () => {
      await this.courier.prepare(dtype, shape.length);
      const made = this.allocate(dtype, shape);
      if (values) this.courier.carry(values, made);
      return made;
    });
  }

  async copy(from: AnyTensor, to: AnyTensor): Promise<void> {
    await this.gate.through(async () => this.courier.carry(from, to));
  }

  copySync(from: AnyTensor, to: AnyTensor): void {
    this.assertIdle();
    this.courier.carry(from, to);
  }

  /** @throws InternalError when something is under way, which a blocking call could only wait for by never returning */
  assertIdle(): void {
    if (!this.gate.isEmpty)
      throw new InternalError(`the ${this.kind} device is busy: a blocking call there must not overlap with another`);
  }

  private allocate(dtype: DType, shape: readonly number[]): CapiDeviceTensor {
    if (elementCount(shape) === 0)
      throw new InternalError(`a device has no empty tensors, and [${shape.join(', ')}] is one`);
    const dims = BigInt64Array.from(shape, BigInt);
    const { code } = elementTypes[dtype];
    const pointer = ortApi().create('CreateTensorAsOrtValue', this.allocator, dims, dims.length, code);
    return new CapiDeviceTensor(this.kind, dtype, [...shape], pointer, this.gate);
  }
}
