/** Items cut into runs of at most `size`, in order; 0 = all at once. What is accumulated before one update. */
export function microBatches<T>(items: readonly T[], size: number): T[][] {
  const step = size > 0 ? size : Math.max(1, items.length);
  return Array.from({ length: Math.ceil(items.length / step) }, (_, i) => items.slice(i * step, (i + 1) * step));
}
