/**
 * Where each function stands in ONNX Runtime's API table, and how it is called. The table is append-only: an index never
 * changes meaning. Indexes come from the API 29 header; the self-test exercises them.
 * Types: p pointer, s UTF-8 string, path file name, i int32 or enum, z size_t.
 * Returns: st OrtStatus* (null = fine), otherwise as written; v = nothing.
 */
export const API_VERSION = 29;

type Row = readonly [index: number, returns: 'st' | 'v' | 'i' | 's', parameters: string];

const rows = {
  CreateStatus: [0, 'st', 'i s'],
  GetErrorCode: [1, 'i', 'p'],
  GetErrorMessage: [2, 's', 'p'],
  CreateEnv: [3, 'st', 'i s p'],
  CreateSession: [7, 'st', 'p path p p'],
  CreateSessionFromArray: [8, 'st', 'p p z p p'],
  Run: [9, 'st', 'p p p p z p z p'],
  CreateSessionOptions: [10, 'st', 'p'],
  DisableMemPattern: [17, 'st', 'p'],
  DisableCpuMemArena: [19, 'st', 'p'],
  SetSessionLogSeverityLevel: [22, 'st', 'p i'],
  SetSessionGraphOptimizationLevel: [23, 'st', 'p i'],
  SetIntraOpNumThreads: [24, 'st', 'p i'],
  SetInterOpNumThreads: [25, 'st', 'p i'],
  SessionGetInputCount: [30, 'st', 'p p'],
  SessionGetOutputCount: [31, 'st', 'p p'],
  SessionGetInputName: [36, 'st', 'p z p p'],
  SessionGetOutputName: [37, 'st', 'p z p p'],
  CreateRunOptions: [39, 'st', 'p'],
  RunOptionsSetTerminate: [46, 'st', 'p'],
  RunOptionsUnsetTerminate: [47, 'st', 'p'],
  CreateTensorWithDataAsOrtValue: [49, 'st', 'p p z p z i p'],
  GetTensorElementType: [60, 'st', 'p p'],
  GetDimensionsCount: [61, 'st', 'p p'],
  GetDimensions: [62, 'st', 'p p z'],
  GetTensorTypeAndShape: [65, 'st', 'p p'],
  CreateCpuMemoryInfo: [69, 'st', 'i i p'],
  MemoryInfoGetName: [71, 'st', 'p p'],
  AllocatorFree: [76, 'st', 'p p'],
  GetAllocatorWithDefaultOptions: [78, 'st', 'p'],
  ReleaseStatus: [93, 'v', 'p'],
  ReleaseSession: [95, 'v', 'p'],
  ReleaseValue: [96, 'v', 'p'],
  ReleaseRunOptions: [97, 'v', 'p'],
  ReleaseTensorTypeAndShapeInfo: [99, 'v', 'p'],
  ReleaseSessionOptions: [100, 'v', 'p'],
  AddSessionConfigEntry: [130, 'st', 'p s s'],
  AddInitializer: [150, 'st', 'p s p'],
  CreatePrepackedWeightsContainer: [166, 'st', 'p'],
  ReleasePrepackedWeightsContainer: [167, 'v', 'p'],
  CreateSessionWithPrepackedWeightsContainer: [168, 'st', 'p path p p p'],
  CreateSessionFromArrayWithPrepackedWeightsContainer: [169, 'st', 'p p z p p p'],
  GetBuildInfoString: [254, 's', ''],
  AddExternalInitializersFromFilesInMemory: [279, 'st', 'p p p p z'],
} as const satisfies Record<string, Row>;

export type ApiFunction = keyof typeof rows;
export const apiTable: Readonly<Record<ApiFunction, Row>> = rows;
