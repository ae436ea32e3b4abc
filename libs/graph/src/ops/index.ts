export * from './attention.js';
export * from './cross-entropy.js';
export * from './elementwise.js';
export * from './gather.js';
export * from './matmul.js';
export * from './normalization.js';
export * from './reduce.js';
export * from './shape.js';
