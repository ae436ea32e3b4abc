export * from './clock.js';
export * from './config.js';
export * from './errors.js';
export * from './ids.js';
export * from './logger.js';
export * from './print-configuration.js';
export * from './process.js';
export * from './random.js';
