import type { TuningJobConfig } from '@attune/contracts';
import { systemClock } from '@attune/platform';
import { RunState } from '../jobs/run-state.js';
import type { RecipeContext } from '../recipes/recipe-context.js';
import type { ExperimentHost } from './experiment.js';

/** What recipes need, with nothing kept on disk or in a database. */
export async function memoryContext(
  { model, journal }: Pick<ExperimentHost, 'model' | 'journal'>,
  config: TuningJobConfig,
): Promise<RecipeContext> {
  const nowhere = { save: async () => undefined, load: async () => undefined };
  return {
    model,
    config,
    journal,
    state: await RunState.open(nowhere, async () => null, model.digest),
    clock: systemClock,
    signal: new AbortController().signal,
    saveEveryMs: Infinity,
  };
}
