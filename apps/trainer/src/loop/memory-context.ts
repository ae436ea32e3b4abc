import type { TuningJobConfig } from '@attune/contracts';
import { systemClock } from '@attune/platform';
import { type RunCursor, RunState } from '../jobs/run-state.js';
import { withBaseWeights } from '../model/base-weights.js';
import { forOneJob } from '../model/training-device.js';
import type { RecipeContext } from '../recipes/recipe-context.js';
import type { ExperimentHost } from './experiment.js';

/** Told where a run stands whenever it would be saved: after every step and at the end of every stage. */
export type Watcher = (cursor: RunCursor) => Promise<void>;

/** What recipes need, over the base weights that the job asks for, with nothing kept on disk or in a database. */
export async function memoryContext(
  { model, journal }: Pick<ExperimentHost, 'model' | 'journal'>,
  config: TuningJobConfig,
  watch?: Watcher,
): Promise<RecipeContext> {
  const save = async ({ json }: { json: RunCursor }) => watch?.(json);
  const nowhere = { save, load: async () => undefined };
  return {
    model: await withBaseWeights(forOneJob(model, journal), config),
    config,
    journal,
    state: await RunState.open(nowhere, async () => null, model.digest),
    clock: systemClock,
    signal: new AbortController().signal,
    saveEveryMs: watch ? 0 : Infinity,
  };
}
