import type { ModelConfig, ParameterReader } from '@attune/models';
import { messageOf } from '@attune/platform';
import type { DeviceKind, Runtime } from '@attune/runtime';
import type { EngineDevice, KvFormat } from '../types.js';
import { DeviceRunner } from './device/device-runner.js';
import { ModelRunner, type ModelRunnerOptions } from './model-runner.js';
import type { Runner } from './runner.js';

/** What the engine was asked to run on. auto = a GPU that works, else the CPU. */
export type DeviceWish = EngineDevice | 'auto';

export interface OpenedRunner {
  readonly runner: Runner;
  readonly kv: KvFormat | 'fp16';
  readonly device: EngineDevice;
  /** Why `auto` came to this device. */
  readonly deviceReason?: string;
}

/**
 * Loads a model where the wish says.
 * @throws UnavailableError when a device was asked for by name and cannot be used; `auto` falls back to the CPU instead
 */
export async function openRunner(
  runtime: Runtime,
  config: ModelConfig,
  read: ParameterReader,
  options: ModelRunnerOptions,
  wish: DeviceWish = 'cpu',
): Promise<OpenedRunner> {
  const onCpu = async () =>
    ({ runner: await ModelRunner.load(runtime, config, read, options), kv: options.kv, device: 'cpu' }) as const;
  const onDevice = async (kind: DeviceKind) => {
    const runner = await DeviceRunner.load(runtime, await runtime.openDevice(kind), config, read, options);
    return { runner, kv: runner.kv, device: kind };
  };
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
