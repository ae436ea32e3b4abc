export * from './dims.js';
export * from './encode.js';
export * from './graph.js';
export * from './ops/index.js';
export { liveNodes, memoryOrder } from './order.js';
export { printGraph } from './print.js';
export { inferShapes, position, reducedShape } from './shapes.js';
export * from './types.js';
export { lowerForWebGpu } from './webgpu.js';
