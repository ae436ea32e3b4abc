import path from 'node:path';
import { CheckpointStore } from '@attune/checkpoint';
import type { TuningJobConfig } from '@attune/contracts';
import type { Engine } from '@attune/engine';
import type { DatasetRow } from '@attune/persistence';
import { type Config, InvalidRequestError } from '@attune/platform';
import { Inject, Injectable } from '@nestjs/common';
import { aiRows, wantsAiFeedback } from '../constitution/ai-rows.js';
import { EndpointJudge } from '../constitution/endpoint-judge.js';
import { loadConstitution } from '../constitution/principle.js';
import { ServedJudge } from '../constitution/served-judge.js';
import { CONFIG } from '../core-tokens.js';
import type { SplitRow, SuppliedRow } from '../curation/curated-row.js';
import { DatasetBuilder } from '../curation/dataset-builder.js';
import { gateSuite } from '../evaluation/task-suite.js';
import { weightsOf } from '../model/policy.js';
import { serve } from '../model/served.js';
import type { RecipeContext } from '../recipes/recipe-context.js';
import { startingPolicy } from '../recipes/starting-policy.js';

/** The rows a job is trained on and measured with. */
@Injectable()
export class JobData {
  constructor(
    @Inject(CONFIG) private readonly settings: Config,
    private readonly datasets: DatasetBuilder,
    private readonly store: CheckpointStore,
  ) {}

  /**
   * Those an attempt before stored, else fresh ones. From here on they never change.
   * @throws InvalidRequestError when there is nothing to learn from
   */
  async prepare(jobId: string, context: RecipeContext, engine: Engine): Promise<DatasetRow[]> {
    const { model, config, state, journal } = context;
    if (!state.isFinished('curate')) {
      const suite = gateSuite(config.gate.suite_examples_per_family);
      const addRows = wantsAiFeedback(config)
        ? (rows: readonly SplitRow[]) => this.askConstitution(rows, context, engine)
        : undefined;
      await this.datasets.build(jobId, config, model, suite, journal, addRows);
      await state.finish('curate');
    }
    const rows = await this.datasets.rows(jobId);
    if (rows.some(({ split }) => split === 'train') || needsNoRows(config)) return rows;
    throw new InvalidRequestError(
      config.data.feedback
        ? 'There is no approved feedback to learn from; approve corrections or choices first'
        : 'No row of the job’s files is left to learn from; its first event says what was dropped and why',
    );
  }

  /** Rows that a model writes or judges, with the weights this job starts from. */
  private async askConstitution(
    rows: readonly SplitRow[],
    { model, config, state, journal, signal }: RecipeContext,
    engine: Engine,
  ): Promise<SuppliedRow[]> {
    const { constitution, judge: kind } = config.ai_feedback;
    const folder = path.join(this.settings.storage.dataDir, 'constitutions');
    const principles = await loadConstitution(constitution, folder);
    const weights = weightsOf(await startingPolicy(this.store, state.cursor.parentId, model, config));
    const served = await serve(model, engine, weights);
    try {
      const writer = new ServedJudge(model, served, weights, signal);
      const judge = kind === 'self' ? writer : new EndpointJudge(this.settings.tuning, signal);
      return await aiRows(rows, { config, principles, judge, writer, journal });
    } finally {
      await served.release();
    }
  }
}

/** Tasks that come with their own checks need no rows of the dataset. */
const needsNoRows = ({ stages, grpo }: TuningJobConfig): boolean =>
  stages.every((stage) => stage === 'grpo') && grpo.grader.kind === 'tasks';
