export * from './data-source.js';
export * from './entities/index.js';
export { createSecret, hashSecret } from './keys.js';
export * from './notifications.js';
export * from './persistence.module.js';
export type { RollbackTarget } from './promotion-history.js';
export * from './repositories/index.js';
export { placeOf } from './url.js';
