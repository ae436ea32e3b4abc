export * from './rewards.js';
export * from './rollout.js';
