export * from './types.js';
export { float32, hostTensor, int32, int64, type TypedTensor } from './tensor.js';
export { runWhenIdle } from './capi/idle-policy.js';
export { keepToLastCores } from './capi/own-cores.js';
export { chooseDevice } from './capi/device/choose.js';
export { mapFile } from './capi/mapped-file.js';
export { createRuntime } from './runtime.js';
export { type DeviceWish, makeWhereWished, type WhereMade } from './where-wished.js';
