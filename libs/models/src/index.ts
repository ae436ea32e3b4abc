export * from './architectures.js';
export * from './config.js';
export { embeddingGraph } from './embedding.js';
export * from './heads.js';
export * from './llama.js';
export * from './parameters.js';
export * from './rope.js';
export * from './rounded.js';
export * from './serving/index.js';
