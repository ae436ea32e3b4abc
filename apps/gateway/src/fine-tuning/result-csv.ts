interface Step {
  stage: string;
  step: number;
  values: Record<string, number>;
}

/** Metrics as CSV: one row a step, one column for every number that any step has. */
export function resultCsv(steps: readonly Step[]): string {
  const names = [...new Set(steps.flatMap(({ values }) => Object.keys(values)))].sort();
  const rows = steps.map(({ stage, step, values }) => [stage, step, ...names.map((name) => values[name] ?? '')]);
  return [['stage', 'step', ...names], ...rows].map((row) => `${row.join(',')}\n`).join('');
}
