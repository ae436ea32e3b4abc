import type { SamplerStep } from './sampler-step.js';

/** Keeps the k largest logits; of equal ones, those with the lower token id. */
export const topK: SamplerStep = (logits, { params }) => {
  const k = params.topK;
  if (k <= 0 || k >= logits.length) return;
  const kept = largest(logits, k);
  const bar = kept[0]!;
  let atBar = kept.reduce((count, value) => count + Number(value === bar), 0);
  for (let i = 0; i < logits.length; i++) {
    const logit = logits[i]!;
    if (logit < bar || (logit === bar && atBar-- <= 0)) logits[i] = -Infinity;
  }
};

/** The k largest values as a min-heap: the smallest of them is first. */
export function largest(values: Float32Array, k: number): Float32Array {
  const heap = values.slice(0, k).sort(); // an ascending array is a heap
  for (let i = k; i < values.length; i++) {
    if (values[i]! > heap[0]!) replaceFirst(heap, values[i]!);
  }
  return heap;
}

function replaceFirst(heap: Float32Array, value: number) {
  let at = 0;
  for (;;) {
    const left = 2 * at + 1;
    if (left >= heap.length) break;
    const child = left + 1 < heap.length && heap[left + 1]! < heap[left]! ? left + 1 : left;
    if (heap[child]! >= value) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = value;
}
