import type { ModelConfig, ParameterReader, WeightFormat } from '@attune/models';
import type { DeviceWish, Runtime } from '@attune/runtime';
import type { ModelRunnerOptions } from '../running/model-runner.js';
import { chooseFormat } from './choose-format.js';
import { measureFormats } from './measure-formats.js';
import { rememberedMeasures } from './remembered-choice.js';

export interface FormatCase {
  readonly runtime: Runtime;
  readonly config: ModelConfig;
  readonly read: ParameterReader;
  /** Digest of the base weights. */
  readonly digest: string;
  readonly threads: number;
  readonly device?: DeviceWish;
  /** Folder that remembers measures. */
  readonly digestCache?: string;
  readonly settings: Omit<ModelRunnerOptions, 'format' | 'slots'>;
}

/** The format that was asked for; for `auto` the one that measuring favours, on a processor, and fp32 on a device. */
export async function resolveFormat(wish: WeightFormat | 'auto', given: FormatCase): Promise<WeightFormat> {
  if (wish !== 'auto') return wish;
  const { runtime, config, read, digest, threads, settings } = given;
  if (!runsOnCpu(runtime, given.device)) return 'fp32';
  const measure = () => measureFormats(runtime, config, read, settings);
  const key = { model: digest, threads, version: runtime.version, exactProducts: await runtime.exactProducts() };
  return chooseFormat(await rememberedMeasures(given.digestCache, key, measure));
}

const runsOnCpu = (runtime: Runtime, device: DeviceWish = 'cpu') =>
  device === 'cpu' || (device === 'auto' && runtime.chooseDevice().kind === null);
