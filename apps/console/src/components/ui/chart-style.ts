/** How axes and tooltips of all charts look. */
export const axisStyle = { stroke: 'var(--attune-quiet)', fontSize: 11, tickLine: false } as const;

export const tooltipStyle = {
  background: 'var(--attune-surface)',
  border: '1px solid var(--attune-line)',
  borderRadius: 8,
  fontSize: 12,
} as const;
