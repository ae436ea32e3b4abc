export { readAdapter, writeAdapter, type StoredAdapter } from './adapter.js';
export { adapterDigest, isFiniteAdapter, kindOf, nameAdapter } from './adapter-kinds.js';
export type {
  Adapter,
  AdapterKind,
  AdapterWeights,
  BottleneckWeights,
  LowRankWeights,
  SoftPromptWeights,
} from './adapter-kinds.js';
export type {
  CheckpointContent,
  CheckpointKind,
  CheckpointLineage,
  CheckpointManifest,
} from './checkpoint-manifest.js';
export { CheckpointStore, type OpenedCheckpoint } from './checkpoint-store.js';
export { fileDigest, weightsDigest } from './digest.js';
export { replaceFile, sweepLeftovers } from './durable.js';
export { countParameters, readModelFolder, writeModelFolder } from './model-folder.js';
export type { ModelFolder, ModelToWrite, ReadModelOptions, Tensor } from './model-folder.js';
export type { Dtype, TensorData } from './safetensors/dtype.js';
export { FileMemory, openSafetensors, type SafetensorsFile } from './safetensors/read.js';
export { float32ToFloat16 } from './safetensors/half.js';
export { writeSafetensors, type TensorToWrite } from './safetensors/write.js';
export { TrainingStateStore, type LoadedTrainingState, type TrainingState } from './training-state.js';
export { resolveModel, type ResolvedModel, type ResolveModelOptions } from './hub/resolve-model.js';
export type { DownloadProgress } from './hub/download-model.js';
