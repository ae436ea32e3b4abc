import type { TuningJobConfig } from '@attune/contracts';
import type { DatasetRow, FeedbackRepository, TuningRepository } from '@attune/persistence';
import type { TaskSuite } from '@attune/tasks';
import type { Journal } from '../jobs/journal.js';
import { countTokens } from '../model/answer-sequence.js';
import type { BaseModel } from '../model/base-model.js';
import { freePositions } from '../model/policy.js';
import { wantedForm } from '../recipes/starting-policy.js';
import { curate, type Curated, type CurationRules } from './curate.js';
import { type FileSource, rowsOfFiles } from './file-rows.js';
import { readGradedRows } from './graded-rows.js';
import type { SplitRow, SuppliedRow } from './curated-row.js';
import { toReviewedFeedback } from './reviewed-feedback.js';

/** Longest training row, in tokens: attention over a row costs its square. */
export const MAX_ROW_TOKENS = 512;

/** Turns approved feedback and the job's files into its rows and stores them, each with where it comes from. */
export class DatasetBuilder {
  constructor(
    private readonly feedback: Pick<FeedbackRepository, 'approved'>,
    private readonly tuning: Pick<TuningRepository, 'replaceDatasetRows' | 'datasetRows'>,
    private readonly files: FileSource,
  ) {}

  async build(
    jobId: string,
    config: TuningJobConfig,
    model: BaseModel,
    suite: TaskSuite,
    journal: Journal,
    /** Makes further rows of those there are; left out: none. */
    addRows?: (rows: readonly SplitRow[]) => Promise<SuppliedRow[]>,
  ): Promise<void> {
    const feedback = config.data.feedback ? (await this.feedback.approved()).map(toReviewedFeedback) : [];
    const supplied = [
      ...(await rowsOfFiles(this.files, config, journal)),
      ...(config.stages.includes('grpo') ? await readGradedRows(this.files, config.grpo.grader) : []),
    ];
    const rules: CurationRules = {
      maxRowsPerUser: config.max_rows_per_user,
      heldoutShare: config.heldout_share,
      maxTokens: Math.min(MAX_ROW_TOKENS, freePositions(model.config, wantedForm(model, config))),
      countTokens: (messages) => countTokens(model.tokenizer, messages),
      suiteQuestions: suiteQuestions(suite),
    };
    const first = curate(feedback, rules, supplied);
    const added = addRows ? await addRows(first.rows) : [];
    // Filtered together with the others, so that a model's rows meet the same rules as people's.
    const curated = added.length === 0 ? first : curate(feedback, rules, [...supplied, ...added]);
    await this.tuning.replaceDatasetRows(jobId, curated.rows.map(toStored));
    journal.info(summary(feedback.length, supplied.length, curated), { dropped: curated.dropped });
  }

  /** The rows a job was given, in the order they were stored. */
  rows(jobId: string): Promise<DatasetRow[]> {
    return this.tuning.datasetRows(jobId);
  }
}

function suiteQuestions(suite: TaskSuite): string[] {
  const examples = suite.groups.flatMap((group) => group.examples);
  return examples.map(({ messages }) => messages.findLast(({ role }) => role === 'user')!.content);
}

function toStored({ feedbackId, origin, kind, split, prompt, chosen, rejected, label, item }: Curated['rows'][number]) {
  return { feedbackId, origin, kind, split, prompt: [...prompt], chosen, rejected, label, item: item ?? null };
}

function summary(numFeedback: number, numSupplied: number, { rows, dropped }: Curated): string {
  const count = (kind: string, split: string) => rows.filter((row) => row.kind === kind && row.split === split).length;
  const lost = Object.entries(dropped).filter(([, number]) => number > 0);
  const graded = count('graded', 'train');
  const filtered = lost.length === 0 ? 'none' : lost.map(([name, number]) => `${number} by ${name}`).join(', ');
  return (
    `${numFeedback} approved pieces of feedback${numSupplied > 0 ? ` and ${numSupplied} rows of files` : ''} gave ${count('demonstration', 'train')} demonstrations and ` +
    `${count('preference', 'train')} preferences and ${count('thumb', 'train')} thumbs to train on${graded > 0 ? ` and ${graded} prompts for the grader` : ''}, ` +
    `${count('demonstration', 'heldout')}, ${count('preference', 'heldout')} and ${count('thumb', 'heldout')} ` +
    `held out; dropped: ${filtered}`
  );
}
