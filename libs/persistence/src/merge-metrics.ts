interface StepMetric {
  stage: string;
  step: number;
  values: Record<string, number>;
}

/** One entry per stage and step, in the order they first came, the later values winning. */
export function mergeMetrics(metrics: readonly StepMetric[]): StepMetric[] {
  const merged = new Map<string, StepMetric>();
  for (const { stage, step, values } of metrics) {
    const key = `${stage}\n${step}`;
    merged.set(key, { stage, step, values: { ...merged.get(key)?.values, ...values } });
  }
  return [...merged.values()];
}
