export { calculate, namesIn } from './calculate.js';
export { grade, type Grade, type Judge, type JudgeRequest } from './grade.js';
export { render, type GraderContext } from './template.js';
export { textSimilarity } from './similarity/text-similarity.js';
