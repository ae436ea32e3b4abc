import type { ModelConfig, ParameterReader } from '@attune/models';
import { type DeviceWish, makeWhereWished, type Runtime } from '@attune/runtime';
import type { EngineDevice, KvFormat } from '../types.js';
import { DeviceRunner } from './device/device-runner.js';
import { ModelRunner, type ModelRunnerOptions } from './model-runner.js';
import type { Runner } from './runner.js';

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
  const { made, ...where } = await makeWhereWished(runtime, wish, async (device) => {
    if (!device) return { runner: await ModelRunner.load(runtime, config, read, options), kv: options.kv };
    const runner = await DeviceRunner.load(runtime, device, config, read, options);
    return { runner, kv: runner.kv };
  });
  return { ...made, ...where };
}
