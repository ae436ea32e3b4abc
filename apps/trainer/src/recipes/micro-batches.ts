/** Items cut into runs of at most `size`, in order; 0 = all at once. What is accumulated before one update. */
export function microBatches<T>(items: readonly T[], size: number): T[][] {
  const step = size > 0 ? size : Math.max(1, items.length);
  return Array.from({ length: Math.ceil(items.length / step) }, (_, i) => items.slice(i * step, (i + 1) * step));
}

/** Part `index` of `count` of the items, as even as can be: what goes along with each micro-batch. */
export const partOf = <T>(items: readonly T[], index: number, count: number): T[] =>
  items.slice(Math.floor((index * items.length) / count), Math.floor(((index + 1) * items.length) / count));
