export * from './generate-many.js';
