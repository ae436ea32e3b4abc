export * from './types.js';
export { collect } from './collect.js';
export { Engine, type EngineOptions, type LoadedModel } from './engine.js';
export { EngineHost, type EngineHostOptions } from './host/engine-host.js';
