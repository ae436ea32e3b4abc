export * from './types.js';
export { collect } from './collect.js';
export { Engine, type EngineOptions, type LoadedModel } from './engine.js';
