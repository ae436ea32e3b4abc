import type { Device, DeviceKind, DeviceWish, Runtime } from '@attune/runtime';
import { makeWhereWished } from '@attune/runtime';
import { DeviceMemory } from '@attune/training';
import type { BaseModel } from './base-model.js';

/** Where a trainer was told to work, and what that came to. */
export interface TrainingDevice {
  readonly wish: DeviceWish;
  /** Null: the CPU. */
  readonly device: Device | null;
  /** Why `auto` came to it. */
  readonly reason?: string | undefined;
}

/** Opens the device that is wished for. @throws UnavailableError when it was named and cannot be used */
export async function findDevice(
  runtime: Pick<Runtime, 'openDevice' | 'chooseDevice'>,
  wish: DeviceWish,
): Promise<TrainingDevice> {
  const { made: device, deviceReason: reason } = await makeWhereWished(runtime, wish, async (opened) => opened);
  return { wish, device, reason };
}

/**
 * The model with room on its device for what one job trains and scores.
 * @param failedBefore whether an earlier attempt at the job was brought down: its driver may have been the cause, so that
 *   `auto` takes the CPU then
 */
export function forOneJob(model: BaseModel, failedBefore = false): BaseModel {
  const { device = null, wish } = model.device ?? {};
  const isUsed = device !== null && !(failedBefore && wish === 'auto');
  return { ...model, memory: isUsed ? new DeviceMemory(device) : undefined };
}

/** "Trains on the webgpu device: it computes right and …": what a job says before it begins. */
export function describeDevice({ device, memory, rounded }: Pick<BaseModel, 'device' | 'memory' | 'rounded'>): string {
  const where = memory ? nameOf(memory.device.kind) : 'the CPU';
  const because = device?.device && !memory ? whyNot(rounded !== undefined) : device?.reason;
  return `Trains on ${where}${because ? `: ${because}` : ''}`;
}

/** What keeps a job off the device that `auto` found. */
const whyNot = (isRounded: boolean): string =>
  isRounded ? 'its base weights are in 8 bits' : 'the attempt before it failed';

export const nameOf = (kind: DeviceKind): string => `the ${kind} device`;
