export * from './types.js';
export { collect } from './collect.js';
export { Engine } from './engine.js';
export type { EngineOptions, LoadedModel } from './engine-options.js';
export { EngineHost, type EngineHostOptions, type ModelToServe } from './host/engine-host.js';
