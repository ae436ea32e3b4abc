export * from './types.js';
export { collect } from './collect.js';
