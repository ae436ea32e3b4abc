import { UnavailableError } from '@attune/platform';
import type { DeviceKind } from '../../types.js';
import { ortApi, OrtError, type Pointer } from '../api.js';
import { nameArray } from '../names.js';

/** How ONNX Runtime names the memory of each device. */
export const memoryName: Readonly<Record<DeviceKind, string>> = { webgpu: 'WebGPU_Buffer', cuda: 'Cuda' };

const webgpuOptions = {
  // Token ids and positions are int64: without this the operators on them run on the CPU.
  enableInt64: '1',
};
const cudaOptions = {
  // Grows by what is asked for instead of doubling, which would take up to twice the model's size.
  arena_extend_strategy: 'kSameAsRequested',
  // TF32 keeps 10 bits of the mantissa: not what fp32 promises.
  use_tf32: '0',
};

/** Puts a device in front of the CPU in native session options. @throws OrtError when it cannot be loaded */
export function appendProvider(native: Pointer, kind: DeviceKind): void {
  if (kind === 'webgpu') appendWebGpu(native);
  else appendCuda(native);
}

function appendWebGpu(native: Pointer): void {
  const [keys, values] = optionArrays(webgpuOptions);
  const { length } = keys;
  ortApi().call('SessionOptionsAppendExecutionProvider', native, 'WebGPU', keys.pointers, values.pointers, length);
}

function appendCuda(native: Pointer): void {
  const { call, create, raw } = ortApi();
  const options = create('CreateCUDAProviderOptions');
  try {
    const [keys, values] = optionArrays(cudaOptions);
    call('UpdateCUDAProviderOptions', options, keys.pointers, values.pointers, keys.length);
    call('SessionOptionsAppendExecutionProvider_CUDA_V2', native, options);
  } finally {
    raw.ReleaseCUDAProviderOptions(options);
  }
}

const optionArrays = (options: Readonly<Record<string, string>>) =>
  [nameArray(Object.keys(options)), nameArray(Object.values(options))] as const;

const remedies: Readonly<Record<DeviceKind, string>> = {
  webgpu:
    'WebGPU needs a GPU with a Vulkan driver (Linux: the packages libvulkan1 and, for AMD and Intel, ' +
    "mesa-vulkan-drivers; NVIDIA brings its own; a container also needs the device files of /dev/dri, or NVIDIA's " +
    'runtime with the `graphics` capability)',
  cuda:
    'CUDA needs an NVIDIA GPU with its driver, CUDA 12 and cuDNN 9, and the provider libraries, which are downloaded by ' +
    '`node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12`',
};

/** Why a device cannot be used, with the way out. */
export function deviceUnavailable(kind: DeviceKind, error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof OrtError)) return error;
  const says = cause.message.trim().split('\n')[0];
  return new UnavailableError(
    `no ${kind} device can be used here. ${remedies[kind]}; or stay on the CPU (for answers ENGINE_DEVICE=cpu, for training ` +
      `TRAINER_DEVICE=cpu). ONNX Runtime says: ${says}`,
    { cause },
  );
}
