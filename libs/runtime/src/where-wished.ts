import { messageOf } from '@attune/platform';
import type { Device, DeviceKind, Runtime } from './types.js';

/** Where work is wanted: on the CPU, on a device by name, or (auto) on a GPU that works and is worth it, else the CPU. */
export type DeviceWish = DeviceKind | 'cpu' | 'auto';

/** What was made, and where. */
export interface WhereMade<T> {
  readonly made: T;
  readonly device: DeviceKind | 'cpu';
  /** Why `auto` came to this device. */
  readonly deviceReason?: string;
}

/**
 * Makes something where the wish says.
 * @param make is given the opened device, or null for the CPU
 * @throws UnavailableError when a device was asked for by name and cannot be used; `auto` takes the CPU instead
 */
export async function makeWhereWished<T>(
  runtime: Pick<Runtime, 'openDevice' | 'chooseDevice'>,
  wish: DeviceWish,
  make: (device: Device | null) => Promise<T>,
): Promise<WhereMade<T>> {
  const onDevice = async (kind: DeviceKind) => ({ made: await make(await runtime.openDevice(kind)), device: kind });
  const onCpu = async () => ({ made: await make(null), device: 'cpu' as const });
  if (wish === 'cpu') return onCpu();
  if (wish !== 'auto') return onDevice(wish);
  const { kind, reason } = runtime.chooseDevice();
  if (!kind) return { ...(await onCpu()), deviceReason: reason };
  try {
    return { ...(await onDevice(kind)), deviceReason: reason };
  } catch (error) {
    return { ...(await onCpu()), deviceReason: `${kind} failed: ${messageOf(error)}` };
  }
}
