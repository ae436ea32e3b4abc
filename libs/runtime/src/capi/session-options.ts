import koffi from 'koffi';
import { InternalError } from '@attune/platform';
import { configEntries } from '../config-entries.js';
import type { SessionOptions, TensorMap } from '../types.js';
import { ortApi, OrtError, type Pointer } from './api.js';
import { appendProvider } from './device/providers.js';
import { environment, hasSharedThreads } from './env.js';
import { nameArray } from './names.js';
import { ortValue } from './value.js';

const SEVERITY_ERROR = 3;
const LEVELS = { disabled: 0, basic: 1, extended: 2, all: 99 } as const;

/** Builds native session options, uses them to create something, and frees them. */
export async function withSessionOptions<T>(
  options: SessionOptions,
  defaultThreads: number,
  create: (native: Pointer) => Promise<T>,
): Promise<T> {
  environment(); // providers log while they are added, and only an environment brings a logger
  const native = ortApi().create('CreateSessionOptions');
  try {
    apply(native, options, defaultThreads);
    return await create(native);
  } catch (error) {
    if (!(error instanceof OrtError)) throw error;
    throw new InternalError(`ONNX Runtime could not load the graph: ${error.message}`, { cause: error });
  } finally {
    ortApi().raw.ReleaseSessionOptions(native);
  }
}

function apply(native: Pointer, options: SessionOptions, defaultThreads: number) {
  const { call } = ortApi();
  call('SetSessionGraphOptimizationLevel', native, LEVELS[options.graphOptimization ?? 'all']);
  if (hasSharedThreads()) call('DisablePerSessionThreads', native);
  else call('SetIntraOpNumThreads', native, options.threads ?? defaultThreads);
  call('SetInterOpNumThreads', native, 1);
  call('SetSessionLogSeverityLevel', native, SEVERITY_ERROR);
  if (!options.memPattern) call('DisableMemPattern', native);
  for (const [key, value] of Object.entries(configEntries(options))) call('AddSessionConfigEntry', native, key, value);
  if (options.device) appendProvider(native, options.device.kind);
  const initializers = options.initializers ?? {};
  if (Object.keys(initializers).length === 0) return;
  if (options.device) copyInitializers(native, initializers);
  else addInitializers(native, initializers);
}

/** Devices keep copies of their own. (AddInitializer is ignored there without a word: the values would be zeros.) */
function copyInitializers(native: Pointer, initializers: TensorMap) {
  const names = nameArray(Object.keys(initializers));
  const values = BigUint64Array.from(Object.values(initializers), ortValue);
  ortApi().call('AddExternalInitializers', native, names.pointers, values, names.length);
}

/**
 * AddInitializer makes the session use our memory in place. Loading also checks that external data exist, before it
 * looks for such values; declaring the same memory as files satisfies the check, and nothing is ever read from them.
 */
function addInitializers(native: Pointer, initializers: TensorMap) {
  const { call } = ortApi();
  const tensors = Object.values(initializers);
  for (const [name, tensor] of Object.entries(initializers)) call('AddInitializer', native, name, ortValue(tensor));
  const names = nameArray(Object.keys(initializers));
  const addresses = BigUint64Array.from(tensors, ({ data }) => koffi.address(data));
  const lengths = BigUint64Array.from(tensors, ({ data }) => BigInt(data.byteLength));
  call('AddExternalInitializersFromFilesInMemory', native, names.pointers, addresses, lengths, names.length);
}
