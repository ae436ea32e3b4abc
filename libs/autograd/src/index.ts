export { gradient } from './gradient.js';
export { type Contribution, type Step, stepsOf, type Vjp, type VjpContext } from './step.js';
export { vjpTable } from './vjp.js';
