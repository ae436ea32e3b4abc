import { AppError, messageOf, UnavailableError } from '@attune/platform';
import type { Device, DeviceKind, DeviceWish, Runtime } from '@attune/runtime';
import { makeWhereWished } from '@attune/runtime';
import { DeviceMemory, type FailureJudge } from '@attune/training';
import type { Journal } from '../jobs/journal.js';
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
 * @param journal told when the device is given up
 * @param failedBefore whether the attempt before ended without a word: a driver may have been the cause, so that `auto`
 *   takes the CPU then
 */
export function forOneJob(model: BaseModel, journal: Pick<Journal, 'warn'>, failedBefore = false): BaseModel {
  const { device = null, wish } = model.device ?? {};
  const isUsed = device !== null && !(failedBefore && wish === 'auto');
  return {
    ...model,
    memory: isUsed ? new DeviceMemory(device, judgeOf(device.kind, wish === 'auto', journal)) : undefined,
  };
}

/** Where nobody named the device, the CPU takes over what fails there, with a word about it, for the rest of the job. */
function judgeOf(kind: DeviceKind, mayBeLeft: boolean, journal: Pick<Journal, 'warn'>): FailureJudge {
  const where = nameOf(kind);
  return (error, isLost) => {
    if (!isOfDevice(error)) throw error;
    if (!mayBeLeft || isLost) throw unableToTrain(where, error);
    journal.warn(`Trains on the CPU instead: ${where} failed (${messageOf(error)})`);
  };
}

/** Whether a failure may be the device's: a batch that is refused, or a graph that cannot be built, fails anywhere. */
function isOfDevice(error: unknown): boolean {
  if (error instanceof AppError) return error.kind === 'unavailable' || error.kind === 'internal';
  return !(error instanceof RangeError || error instanceof TypeError);
}

const unableToTrain = (where: string, cause: unknown) =>
  new UnavailableError(
    `${where} cannot train this job: ${messageOf(cause)}. Lower micro_batch, turn on activation_checkpointing, use form ` +
      `"lora", or set TRAINER_DEVICE=cpu`,
    { cause },
  );

/** "Trains on the webgpu device: it computes right and …": what a job says before it begins. */
export function describeDevice({ device, memory, rounded }: Pick<BaseModel, 'device' | 'memory' | 'rounded'>): string {
  const where = memory ? nameOf(memory.device.kind) : 'the CPU';
  const because = device?.device && !memory ? whyNot(rounded !== undefined) : device?.reason;
  return `Trains on ${where}${because ? `: ${because}` : ''}`;
}

/** What keeps a job off the device that `auto` found. */
const whyNot = (isRounded: boolean): string =>
  isRounded ? 'its base weights are in 8 bits' : 'the attempt before it ended without a word';

export const nameOf = (kind: DeviceKind): string => `the ${kind} device`;
