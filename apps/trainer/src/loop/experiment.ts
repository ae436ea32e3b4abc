import type { Journal } from '../jobs/journal.js';
import type { BaseModel } from '../model/base-model.js';

/** One line of an experiment's table: a variant and what was measured of it. Null = could not be measured. */
export interface Row {
  readonly variant: string;
  readonly figures: Readonly<Record<string, number | null>>;
}

export interface ExperimentHost {
  readonly model: BaseModel;
  readonly journal: Journal;
  readonly seed: number;
}

/** Simulated people (or real data) teach the model something, in one or several ways, and it is measured what became of it. */
export interface Experiment {
  /** What is expected, in a sentence: printed before the figures, so that they can be held against it. */
  readonly expects: string;
  /** Names of the lines of its table. */
  readonly variants: readonly string[];
  /** One line, or several where it is watched how something develops. */
  run(variant: string, host: ExperimentHost): Promise<Row | readonly Row[]>;
}
