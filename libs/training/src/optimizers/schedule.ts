/** Learning rate of a step, counted from 0. */
export type Schedule = (step: number) => number;

export interface ScheduleOptions {
  readonly peak: number;
  /** Steps of linear rise from 0 to the peak. */
  readonly warmupSteps: number;
  readonly totalSteps: number;
  /** Rate at the end, as a fraction of the peak. */
  readonly finalFraction?: number;
}

/** The peak throughout, after the warm-up. */
export const constant = ({ peak, warmupSteps }: Omit<ScheduleOptions, 'totalSteps'>): Schedule => {
  return (step) => peak * warmup(step, warmupSteps);
};

/** Half a cosine from the peak to the final rate (Loshchilov & Hutter 2017). */
export function cosine({ peak, warmupSteps, totalSteps, finalFraction = 0.1 }: ScheduleOptions): Schedule {
  return (step) => {
    if (step < warmupSteps) return peak * warmup(step, warmupSteps);
    const progress = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
    return peak * (finalFraction + (1 - finalFraction) * 0.5 * (1 + Math.cos(Math.PI * progress)));
  };
}

/**
 * Warm-up, stable, decay (Hu et al. 2024, MiniCPM): the peak until the last `decaySteps`, then down by 1 − √progress
 * (Hägele et al. 2024). The stable part can be prolonged at will, which suits a run whose length is not yet known.
 */
export function warmupStableDecay(options: ScheduleOptions & { readonly decaySteps: number }): Schedule {
  const { peak, warmupSteps, totalSteps, decaySteps, finalFraction = 0 } = options;
  return (step) => {
    const into = (step - (totalSteps - decaySteps)) / decaySteps;
    if (into <= 0) return peak * warmup(step, warmupSteps);
    return peak * (finalFraction + (1 - finalFraction) * (1 - Math.sqrt(Math.min(1, into))));
  };
}

const warmup = (step: number, warmupSteps: number): number =>
  warmupSteps > 0 ? Math.min(1, (step + 1) / warmupSteps) : 1;
